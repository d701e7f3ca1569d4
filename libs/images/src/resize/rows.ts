/** The row kernels in WebAssembly. */
import { ROWS_WASM } from './rows-wasm';

/** Node's types leave it out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
};

/** The kernels of wasm/rows.wat; all arguments but weights and counts are byte addresses. */
interface Kernels {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  stretchRow(source: number, offsets: number, weights: number, count: number, out: number): void;
  blendRows(upper: number, lower: number, near: number, far: number, out: number, count: number): void;
  filterRow(source: number, offsets: number, weights: number, size: number, count: number, out: number): void;
  filterColumns(
    ...args: [
      rows: number,
      stride: number,
      slots: number,
      first: number,
      weights: number,
      count: number,
      out: number,
      bytes: number,
    ]
  ): void;
  normaliseRow(source: number, count: number, table: number, out: number): void;
}

/** Kernels work in whole vectors and may touch this many bytes past a buffer's end. */
const SLACK = 64;
const PAGE = 65536;

let kernels: Kernels | undefined;

/** The kernels, compiled on first use. One call of a resizer uses their memory at a time: nothing here waits. */
export function rowKernels(): Kernels {
  kernels ??= new WebAssembly.Instance(new WebAssembly.Module(bytesOf(ROWS_WASM))).exports as Kernels;
  return kernels;
}

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

/** Addresses for buffers of these many bytes each, in the kernels' memory, which grows to hold them. */
export function reserve<const Sizes extends readonly number[]>(sizes: Sizes): { [K in keyof Sizes]: number } {
  const { memory } = rowKernels();
  let end = 0;
  const addresses = sizes.map((size) => {
    const address = end;
    end += Math.ceil((size + SLACK) / 16) * 16;
    return address;
  });
  const missing = end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  return addresses as { [K in keyof Sizes]: number };
}

/** Copies a typed array to an address of the kernels' memory. */
export function put(address: number, values: Uint8Array | Int32Array | Float32Array): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  new Uint8Array(rowKernels().memory.buffer).set(bytes, address);
}
