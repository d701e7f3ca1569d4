/** Bilinear and nearest resizing as PyTorch's `interpolate`, with gradients that are right on every engine. */
import * as tf from '@tensorflow/tfjs-core';
import type { MapSize } from './deformable-attention';
import { nativeOps } from '#native-ops';

/**
 * Bilinear resize without antialiasing, as PyTorch's `interpolate(mode='bilinear')`: corners aligned, or half-pixel
 * centres when `alignCorners` is false.
 * @param x float32 [N, H, W, C].
 * @param size [h, w] of the result.
 * @returns float32 [N, h, w, C].
 */
export function resizeBilinear(x: tf.Tensor4D, size: MapSize, options: { alignCorners: boolean }): tf.Tensor4D {
  const { alignCorners } = options;
  const native = nativeOps();
  const forward = (): tf.Tensor4D => tf.image.resizeBilinear(x, [...size], alignCorners, !alignCorners);
  return withGradient(x, forward, (dy) => {
    if (native === null) return throughMatrices(dy, x.shape, alignCorners ? alignedSource : halfPixelSource);
    const attrs = [
      native.type('T', 'float32'),
      native.bool('align_corners', alignCorners),
      native.bool('half_pixel_centers', !alignCorners),
    ];
    return native.run<tf.Tensor4D>('ResizeBilinearGrad', [dy, tf.zeros(x.shape)], attrs);
  });
}

/**
 * Nearest-neighbour resize, as PyTorch's `interpolate(mode='nearest')`: source index `floor(i * H / h)`.
 * @param x float32 [N, H, W, C].
 * @param size [h, w] of the result.
 * @returns float32 [N, h, w, C].
 */
export function resizeNearest(x: tf.Tensor4D, size: MapSize): tf.Tensor4D {
  const native = nativeOps();
  const forward = (): tf.Tensor4D => tf.image.resizeNearestNeighbor(x, [...size], false, false);
  return withGradient(x, forward, (dy) => {
    if (native === null) return throughMatrices(dy, x.shape, nearestSource);
    const cells = tf.tensor1d(x.shape.slice(1, 3), 'int32');
    const attrs = [
      native.type('T', 'float32'),
      native.bool('align_corners', false),
      native.bool('half_pixel_centers', false),
    ];
    return native.run<tf.Tensor4D>('ResizeNearestNeighborGrad', [dy, cells], attrs);
  });
}

/** TensorFlow.js passes no half-pixel flag to its gradients, and the nearest one differs between engines. */
function withGradient(
  x: tf.Tensor4D,
  forward: () => tf.Tensor4D,
  gradient: (dy: tf.Tensor4D) => tf.Tensor4D,
): tf.Tensor4D {
  const resize = tf.customGrad(() => ({
    value: forward(),
    gradFunc: (dy: tf.Tensor) => gradient(dy as tf.Tensor4D),
  }));
  return resize(x) as tf.Tensor4D;
}

/** Where output cell `i` of `to` lies among `from` input cells. */
type Source = (i: number, from: number, to: number) => number;

const alignedSource: Source = (i, from, to) => (to > 1 ? (i * (from - 1)) / (to - 1) : 0);
const halfPixelSource: Source = (i, from, to) => Math.max(((i + 0.5) * from) / to - 0.5, 0);
const nearestSource: Source = (i, from, to) => Math.floor((i * from) / to);

/** Resizing is a product with one matrix per axis; its gradient is the product with their transposes. */
function throughMatrices(dy: tf.Tensor4D, shape: tf.Tensor4D['shape'], source: Source): tf.Tensor4D {
  const [n, height, width, channels] = shape;
  const [, h, w] = dy.shape;
  const rows = interpolationMatrix(height, h, source);
  const columns = interpolationMatrix(width, w, source);
  const tall = tf.matMul(rows, tf.reshape(tf.transpose(dy, [1, 0, 2, 3]), [h, n * w * channels]), true);
  const aside = tf.reshape(tf.transpose(tf.reshape(tall, [height, n, w, channels]), [2, 1, 0, 3]), [w, -1]);
  return tf.transpose(tf.reshape(tf.matMul(columns, aside, true), [width, n, height, channels]), [1, 2, 0, 3]);
}

/** The weights [to, from] with which `from` samples become `to` samples. */
function interpolationMatrix(from: number, to: number, source: Source): tf.Tensor2D {
  const weights = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const position = source(i, from, to);
    const low = Math.min(Math.floor(position), from - 1);
    const high = Math.min(low + 1, from - 1);
    weights[i * from + low] = (weights[i * from + low] ?? 0) + 1 - (position - low);
    weights[i * from + high] = (weights[i * from + high] ?? 0) + position - low;
  }
  return tf.tensor2d(weights, [to, from]);
}
