/** The public names of @pyramidal/wasm. */
export { openWasm, type OpenedWasm } from './open-wasm';
