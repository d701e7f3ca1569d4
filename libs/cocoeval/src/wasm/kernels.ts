/** The kernels in WebAssembly: wasm/assembly, compiled. Where they are not allowed, TypeScript does the same, more slowly. */
import { KERNELS_WASM } from './kernels-wasm';

/** Node's types leave it out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
  readonly RuntimeError: new () => Error;
};

/** What the module exports; all arguments but counts are addresses in its memory, or numbers. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  allocate(bytes: number): number;
  idTable(ids: number, count: number): number;
  findIds(table: number, ids: number, count: number, out: number): void;
  recordColumns(bytes: number): number;
  scanRecords(length: number, form: number, kind: number): number;
  resultKind(): number;
  resumeAt(): number;
  stopReason(): number;
  pick(values: number, places: number, count: number, out: number): void;
  arrange(
    ...args: [categories: number, images: number, count: number, categoryCount: number, places: number, starts: number]
  ): void;
  invert(places: number, count: number, out: number): void;
  scatter(values: number, places: number, count: number, bytes: number, out: number): void;
  useObjects(
    ...args: [truth: number, found: number, masks: boolean, sizes: number, ids: number, imageCount: number]
  ): void;
  useParams(
    ...args: [thresholds: number, count: number, floor: number, ranges: number, rangeCount: number, limit: number]
  ): void;
  compareCategory(category: number): number;
  useCurves(
    ...args: [
      recalls: number,
      recallCount: number,
      limits: number,
      limitCount: number,
      thresholdCount: number,
      rangeCount: number,
      rowBytes: number,
    ]
  ): void;
  accumulateCategory(
    ...args: [
      objects: number,
      count: number,
      scores: number,
      places: number,
      bits: number,
      ranking: number,
      precision: number,
      scoresOut: number,
      recall: number,
    ]
  ): void;
  meanAbove(values: number, starts: number, rows: number, cells: number, cellCount: number): number;
  spreadRows(from: number, rows: number, bytes: number, to: number, step: number): void;
  mark(): number;
  release(mark: number): void;
  room(): number;
}

type Values = Float64Array | Int32Array | Uint32Array | Uint8Array;

/** The kernels with a memory of their own. Views of it hold until it grows. */
export class Kernels {
  readonly run: Exports;

  private constructor(module: object) {
    const parseNumber = (start: number, end: number): number =>
      Number(String.fromCharCode(...this.bytes(start, end - start)));
    this.run = new WebAssembly.Instance(module, { host: { parseNumber } }).exports as Exports;
  }

  /** @returns undefined where WebAssembly is missing or not allowed. */
  static create(): Kernels | undefined {
    compiled ??= compileIfAllowed();
    return compiled === 'none' ? undefined : new Kernels(compiled);
  }

  /**
   * Runs kernels in a memory that is given back afterwards, for the next ones to use.
   * @returns undefined where WebAssembly is missing or not allowed, or four gigabytes are not enough.
   */
  static use<T>(work: (kernels: Kernels) => T): T | undefined {
    const kernels = Kernels.take();
    if (kernels === undefined) return undefined;
    const start = kernels.run.mark();
    const result = withinMemory(() => work(kernels));
    if (result === undefined) return undefined; // what is full is not used again
    kernels.run.release(start);
    idle = new WeakRef(kernels);
    return result;
  }

  /** The same for results that are views of the memory: it lives as long as they do, and nobody uses it again. */
  static useUp<T>(work: (kernels: Kernels) => T): T | undefined {
    const kernels = Kernels.take();
    if (kernels === undefined) return undefined;
    const result = withinMemory(() => work(kernels));
    if (result !== undefined) usedUp.set(kernels.run.memory.buffer, kernels);
    return result;
  }

  /** The kernels in whose memory `useUp` left values. */
  static holding(values: Values): Kernels | undefined {
    return usedUp.get(values.buffer);
  }

  private static take(): Kernels | undefined {
    const kernels = idle?.deref() ?? Kernels.create();
    idle = undefined;
    return kernels;
  }

  bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.run.memory.buffer, at, length);
  }

  uint32(at: number, length: number): Uint32Array {
    return new Uint32Array(this.run.memory.buffer, at, length);
  }

  int32(at: number, length: number): Int32Array {
    return new Int32Array(this.run.memory.buffer, at, length);
  }

  float64(at: number, length: number): Float64Array {
    return new Float64Array(this.run.memory.buffer, at, length);
  }

  /** Copies values. @returns their address. */
  put(values: Values): number {
    const at = this.run.allocate(values.byteLength);
    this.bytes(at, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return at;
  }
}

/** Kernels that nobody uses, as long as their memory is not wanted for other things. */
let idle: WeakRef<Kernels> | undefined;

/** By their memory. */
const usedUp = new WeakMap<ArrayBufferLike, Kernels>();

let compiled: object | 'none' | undefined;

/** A page may forbid it (its Content-Security-Policy), an old browser not know it: both say so by an error of any kind. */
function compileIfAllowed(): object | 'none' {
  try {
    const text = atob(KERNELS_WASM);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
    return new WebAssembly.Module(bytes);
  } catch {
    return 'none';
  }
}

/** Runs kernels. @returns undefined where they ask for more memory than there can be. */
function withinMemory<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError && error.message.includes('unreachable')) return undefined;
    throw error;
  }
}

/** Fewer objects and detections are evaluated in TypeScript sooner than kernels are ready. */
export const WORTHWHILE = 2000;

/** Bytes that may be copied into the kernels' memory, so that enough is left to work in. */
export const MOST_BYTES = 2 ** 30;
