/** Box deltas (R-CNN, appendix C; Faster R-CNN, eq. 2): shifts of the centre and log scales of the sides. */
import * as tf from '@tensorflow/tfjs-core';
import { coordinates } from './boxes';

type Four = readonly [number, number, number, number];

/** How deltas are normalised and bounded. */
export interface DeltaOptions {
  /** Deltas are normalised: (delta - mean) / std. */
  readonly means?: Four;
  readonly stds?: Four;
  /** Largest magnitude of a decoded log scale. */
  readonly maxLogScale?: number;
}

/** |ln(16 / 1000)|: a side shrinks or grows at most 62.5 times. */
const MAX_LOG_SCALE = Math.abs(Math.log(16 / 1000));

/**
 * Deltas that turn boxes into targets. Degenerate boxes give infinite or NaN deltas.
 * @param boxes float32 [..., 4], xyxy.
 * @param targets float32 [..., 4], xyxy.
 * @returns float32 [..., 4], (dx, dy, dw, dh), normalised.
 */
export function encodeDeltas<T extends tf.Tensor>(
  boxes: T,
  targets: T,
  { means = [0, 0, 0, 0], stds = [1, 1, 1, 1] }: DeltaOptions = {},
): T {
  return tf.tidy(() => {
    const from = centred(boxes);
    const to = centred(targets);
    const deltas = tf.stack(
      [
        tf.div(tf.sub(to.x, from.x), from.width),
        tf.div(tf.sub(to.y, from.y), from.height),
        tf.log(tf.div(to.width, from.width)),
        tf.log(tf.div(to.height, from.height)),
      ],
      -1,
    );
    return tf.div(tf.sub(deltas, tf.tensor1d([...means])), tf.tensor1d([...stds])) as T;
  });
}

/**
 * Boxes that deltas lead to, not clipped to the image.
 * @param boxes float32 [..., 4], xyxy; axes of size 1 are shared.
 * @param deltas float32 [..., 4], normalised.
 * @returns float32 [..., 4], xyxy.
 */
export function decodeDeltas<T extends tf.Tensor>(
  boxes: tf.Tensor,
  deltas: T,
  { means = [0, 0, 0, 0], stds = [1, 1, 1, 1], maxLogScale = MAX_LOG_SCALE }: DeltaOptions = {},
): T {
  return tf.tidy(() => {
    const { x, y, width, height } = centred(boxes);
    const plain = tf.add(tf.mul(deltas, tf.tensor1d([...stds])), tf.tensor1d([...means]));
    const [dx, dy, dw, dh] = coordinates(plain);
    const limit = (logScale: tf.Tensor): tf.Tensor => tf.clipByValue(logScale, -maxLogScale, maxLogScale);
    const [cx, cy] = [tf.add(x, tf.mul(width, dx)), tf.add(y, tf.mul(height, dy))];
    const halfWidth = tf.mul(tf.mul(width, tf.exp(limit(dw))), 0.5);
    const halfHeight = tf.mul(tf.mul(height, tf.exp(limit(dh))), 0.5);
    const corners = [tf.sub(cx, halfWidth), tf.sub(cy, halfHeight), tf.add(cx, halfWidth), tf.add(cy, halfHeight)];
    return tf.stack(corners, -1) as T;
  });
}

function centred(boxes: tf.Tensor): { x: tf.Tensor; y: tf.Tensor; width: tf.Tensor; height: tf.Tensor } {
  const [x1, y1, x2, y2] = coordinates(boxes);
  return {
    x: tf.mul(tf.add(x1, x2), 0.5),
    y: tf.mul(tf.add(y1, y2), 0.5),
    width: tf.sub(x2, x1),
    height: tf.sub(y2, y1),
  };
}
