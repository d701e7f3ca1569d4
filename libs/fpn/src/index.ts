export { Fpn, type FpnOptions } from './fpn';
