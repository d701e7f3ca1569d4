/** This package's own kernels in WebAssembly: wasm/assembly, compiled, in the memory of TensorFlow.js's engine. */
import type { ConvAxis } from './kernels/conv-geometry';
import { KERNELS, SHARED_KERNELS } from './vector-kernels-wasm';

/** Node's types leave it out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

/** A WebAssembly memory, which threads share where its buffer says so. */
export interface EngineMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
}

interface Exports {
  depthwise(...args: number[]): void;
}

/** The kernels of the engine that is open. */
let opened: Exports | undefined;

/** @param memory of the engine, which its tensors lie in. */
export function openVectorKernels(memory: EngineMemory): void {
  const isShared = memory.buffer instanceof SharedArrayBuffer;
  const module = new WebAssembly.Module(Buffer.from(isShared ? SHARED_KERNELS : KERNELS, 'base64'));
  opened = new WebAssembly.Instance(module, { env: { memory } }).exports as Exports;
}

/** What the kernels are told of an axis. */
const told = ({ size, taps, stride, dilation, before, out }: ConvAxis): number[] =>
  [size, taps, stride, dilation, before, out]; // prettier-ignore

/**
 * Convolves each channel of [N, H, W, C] with its own filter of [kh, kw, C].
 * @param places of the three tensors in memory.
 */
export function depthwise(
  places: { readonly x: number; readonly filter: number; readonly y: number },
  batch: number,
  channels: number,
  [h, w]: readonly [ConvAxis, ConvAxis],
): void {
  for (let image = 0; image < batch; image++) {
    const x = places.x + 4 * image * h.size * w.size * channels;
    const y = places.y + 4 * image * h.out * w.out * channels;
    opened!.depthwise(x, places.filter, y, channels, ...told(h), ...told(w));
  }
}
