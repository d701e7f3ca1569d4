import * as tf from '@tensorflow/tfjs-core';
import { nativeOps } from './native-ops';

type Size = readonly [height: number, width: number];

/**
 * Bilinear resize without antialiasing, as PyTorch's `interpolate(mode='bilinear')`: corners aligned, or half-pixel
 * centres when `alignCorners` is false.
 * @param x float32 [N, H, W, C].
 * @param size [h, w] of the result.
 */
export function resizeBilinear(x: tf.Tensor4D, size: Size, options: { alignCorners: boolean }): tf.Tensor4D {
  const { alignCorners } = options;
  return tf.customGrad((images, save) => {
    const input = images as tf.Tensor4D;
    (save as tf.GradSaveFunc)([input]);
    return {
      value: tf.image.resizeBilinear(input, [...size], alignCorners, !alignCorners),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        resizeBilinearGradient(dy as tf.Tensor4D, saved[0] as tf.Tensor4D, alignCorners),
    };
  })(x) as tf.Tensor4D;
}

/**
 * Nearest-neighbour resize, as PyTorch's `interpolate(mode='nearest')`: source index `floor(i * H / h)`.
 * @param x float32 [N, H, W, C].
 * @param size [h, w] of the result.
 */
export function resizeNearest(x: tf.Tensor4D, size: Size): tf.Tensor4D {
  return tf.image.resizeNearestNeighbor(x, [...size], false, false);
}

/** TensorFlow.js passes no half-pixel flag to its gradient kernels, hence the operation itself or two matrix products. */
function resizeBilinearGradient(dy: tf.Tensor4D, x: tf.Tensor4D, alignCorners: boolean): tf.Tensor4D {
  const native = nativeOps();
  if (native !== null) {
    return native.run<tf.Tensor4D>(
      'ResizeBilinearGrad',
      [dy, x],
      [
        native.type('T', 'float32'),
        native.bool('align_corners', alignCorners),
        native.bool('half_pixel_centers', !alignCorners),
      ],
    );
  }
  const [n, height, width, channels] = x.shape;
  const [, h, w] = dy.shape;
  const rows = interpolationMatrix(height, h, alignCorners);
  const columns = interpolationMatrix(width, w, alignCorners);
  const tall = tf.matMul(rows, tf.reshape(tf.transpose(dy, [1, 0, 2, 3]), [h, n * w * channels]), true);
  const aside = tf.reshape(tf.transpose(tf.reshape(tall, [height, n, w, channels]), [2, 1, 0, 3]), [w, -1]);
  return tf.transpose(tf.reshape(tf.matMul(columns, aside, true), [width, n, height, channels]), [1, 2, 0, 3]);
}

/** The weights [to, from] with which `from` samples become `to` samples. */
function interpolationMatrix(from: number, to: number, alignCorners: boolean): tf.Tensor2D {
  const weights = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const aligned = to > 1 ? (i * (from - 1)) / (to - 1) : 0;
    const source = alignCorners ? aligned : Math.max(((i + 0.5) * from) / to - 0.5, 0);
    const low = Math.min(Math.floor(source), from - 1);
    const high = Math.min(low + 1, from - 1);
    weights[i * from + low] = (weights[i * from + low] ?? 0) + 1 - (source - low);
    weights[i * from + high] = (weights[i * from + high] ?? 0) + source - low;
  }
  return tf.tensor2d(weights, [to, from]);
}
