/** The memory of the WebAssembly engine is 4 GiB: what does not fit is refused before the engine aborts. */
import * as tf from '@tensorflow/tfjs-core';
import { RuntimeError } from '@pyramidal/kernels/engine';

const MIB = 2 ** 20;

/** What a WebAssembly memory can grow to. */
const LIMIT = 4096 * MIB;

/** Room kept for what kernels allocate by themselves: where that fails, the engine aborts or computes nonsense. */
const RESERVE = 256 * MIB;

/** The reserve may lie in pieces of this size: memory is fragmented by then. */
const CHUNK = 32 * MIB;

/** The part of the WebAssembly module that allocates. */
export interface WasmMemory {
  readonly HEAPU8: { readonly length: number };
  /** @returns the place, 0 if there is none. */
  _malloc(bytes: number): number;
  _free(place: number): void;
}

/**
 * Makes the engine refuse a tensor that would fill its memory, before the engine aborts; tensors that exist remain
 * readable, so a run can still save.
 */
export function guardMemory(wasm: WasmMemory): void {
  wasm._free(wasm._malloc(1)); // the module replaces both functions when they are first called
  const malloc = wasm._malloc;
  const refuse = (bytes: number): never => {
    throw new RuntimeError(
      `wasm: a tensor of ${inMiB(bytes)} does not fit beside ${inMiB(tf.engine().state.numBytes)} of other tensors ` +
        `in the engine's 4096 MiB; use a smaller batch or input, or the engine 'tensorflow'`,
    );
  };
  const hasReserve = (): boolean => {
    const chunks = Array.from({ length: RESERVE / CHUNK }, () => malloc(CHUNK)).filter((place) => place !== 0);
    for (const place of chunks) wasm._free(place);
    return chunks.length === RESERVE / CHUNK;
  };
  wasm._malloc = (bytes: number): number => {
    if (bytes + RESERVE > LIMIT) return refuse(bytes); // malloc would take the size modulo 4 GiB
    const place = malloc(bytes);
    if (place === 0 && bytes > 0) return refuse(bytes);
    if (wasm.HEAPU8.length + RESERVE > LIMIT && !hasReserve()) {
      wasm._free(place);
      return refuse(bytes);
    }
    return place;
  };
}

const inMiB = (bytes: number): string => `${Math.ceil(bytes / MIB)} MiB`;
