export { openWasm, type OpenedWasm } from './open-wasm';
