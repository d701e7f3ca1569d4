/** Every family of backbones in this package. A new one is a file, and a line here. */
export { coat } from './coat';
export { groupMixFormer } from './groupmixformer';
export { maFormer } from './maformer';
export { smt } from './smt';
