/** Matrix products of the WebAssembly engine: fast for batches and transposed operands too. */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { WasmKernel } from './wasm-tensor';
import { placeOf, typed } from './wasm-tensor';

/** Products of fewer multiplications than this are left to the package's plain loop. */
const SMALL_PRODUCT = 4096;

/**
 * Matrix products, batched and transposed, each by the engine's fast routine. That one knows neither batches nor
 * transposed operands, and the package falls back to a loop some thirty times slower: so operands are transposed
 * first, and every matrix of the batch is multiplied by itself, in place.
 */
export const batchMatMul: WasmKernel = {
  name: tf.BatchMatMul,
  create: (builtIn) => (call) => {
    const { inputs, attrs, backend } = typed<'a' | 'b', tf.BatchMatMulAttrs>(call);
    const { transposeA, transposeB } = attrs;
    const [a, b] = [inputs.a as tf.Tensor, inputs.b as tf.Tensor];
    if (a.dtype !== 'float32' || b.dtype !== 'float32') {
      return tf.tidy(() => {
        const product = tf.matMul(tf.cast(a, 'float32'), tf.cast(b, 'float32'), transposeA, transposeB);
        return tf.cast(product, a.dtype === 'float32' ? b.dtype : a.dtype);
      });
    }
    const [m, k] = lastTwo(a, transposeA);
    const [, n] = lastTwo(b, transposeB);
    const isFast = k > 0 && a.rank === 2 && b.rank === 2 && !transposeA && !transposeB;
    const isPlainBatch = tf.util.arraysEqual(a.shape.slice(0, -2), b.shape.slice(0, -2));
    if (isFast || (isPlainBatch && k > 0 && m * k * n < SMALL_PRODUCT)) return builtIn(call);
    return tf.tidy(() => {
      const left = transposeA ? swapLastTwo(a) : a;
      const right = transposeB ? swapLastTwo(b) : b;
      const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
      if (a.size === 0 || b.size === 0) return tf.zeros([...outer, m, n]);
      const product = backend.makeOutput([...outer, m, n], 'float32');
      const sources = [batchOffsets(left.shape, outer), batchOffsets(right.shape, outer)] as const;
      const [leftAt, rightAt, productAt] = [placeOf(backend, left), placeOf(backend, right), placeOf(backend, product)];
      for (let i = 0; i < sources[0].length; i++) {
        multiply(backend, m, k, n, [
          leftAt + 4 * m * k * sources[0][i]!,
          rightAt + 4 * k * n * sources[1][i]!,
          productAt + 4 * m * n * i,
        ]);
      }
      return tf.engine().makeTensorFromTensorInfo(product);
    });
  },
};

/** For every matrix of the result, which matrix of an operand it takes. */
function batchOffsets(shape: readonly number[], outer: readonly number[]): Int32Array {
  const own = shape.slice(0, -2);
  const missing = outer.length - own.length;
  return Int32Array.from({ length: tf.util.sizeFromShape([...outer]) }, (_, index) => {
    let rest = index;
    let offset = 0;
    let stride = 1;
    for (let axis = outer.length - 1; axis >= missing; axis--) {
      const size = own[axis - missing]!;
      if (size > 1) offset += (rest % outer[axis]!) * stride;
      stride *= size;
      rest = Math.floor(rest / outer[axis]!);
    }
    return offset;
  });
}

interface WasmFunctions {
  readonly HEAP32: Int32Array;
  _BatchMatMul(...args: number[]): void;
  stackSave(): number;
  stackAlloc(bytes: number): number;
  stackRestore(pointer: number): void;
}

/** Multiplies [m, k] by [k, n], given the three places in memory. */
function multiply(backend: BackendWasm, m: number, k: number, n: number, places: [number, number, number]): void {
  const wasm = backend.wasm as typeof backend.wasm & WasmFunctions;
  const ids = places.map((place, i) => view(backend, [m * k, k * n, m * n][i]!, place));
  const stack = wasm.stackSave();
  const shapes = [
    [1, m, k],
    [1, k, n],
  ].map((shape) => {
    const place = wasm.stackAlloc(12);
    wasm.HEAP32.set(shape, place >>> 2);
    return place;
  });
  wasm._BatchMatMul(ids[0]!, shapes[0]!, 3, ids[1]!, shapes[1]!, 3, 0, 0, ids[2]!);
  wasm.stackRestore(stack);
  // Also frees the engine's rearranged copy of the right matrix, which otherwise lives as long as the tensor.
  for (const id of ids) wasm.tfjs.disposeData(id);
}

/** Makes a part of memory known to the engine as a tensor. */
function view(backend: BackendWasm, size: number, place: number): number {
  const id = (backend as unknown as { dataIdNextNumber: number }).dataIdNextNumber++;
  backend.wasm.tfjs.registerTensor(id, size, place);
  return id;
}

function lastTwo(x: tf.Tensor, isTransposed: boolean): [number, number] {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  return isTransposed ? [columns, rows] : [rows, columns];
}

function swapLastTwo(x: tf.Tensor): tf.Tensor {
  const axes = Array.from({ length: x.rank }, (_, axis) => axis);
  return tf.transpose(x, [...axes.slice(0, -2), x.rank - 1, x.rank - 2]);
}
