/** Generalised intersection over union (Rezatofighi et al. 2019), with a gradient that equal edges share. */
import * as tf from '@tensorflow/tfjs-core';
import { areas, coordinates } from './boxes';

/** What keeps the divisors of GIoU off zero: a floor under them, or a number added to them. */
export interface GiouOptions {
  readonly epsilon: number;
  readonly isAdded?: boolean;
}

/** MMDetection's. */
const FLOOR: GiouOptions = { epsilon: 1e-6 };

/**
 * Generalised intersection over union (Rezatofighi et al. 2019), from -1 to 1.
 * @param a float32 [..., 4], xyxy. @param b float32 [..., 4], xyxy; axes of size 1 are shared, and then there is no gradient.
 * @returns float32 [...].
 */
export function generalizedIou(a: tf.Tensor, b: tf.Tensor, { epsilon, isAdded }: GiouOptions = FLOOR): tf.Tensor {
  return tf.tidy(() => {
    const [ax1, ay1, ax2, ay2] = coordinates(a);
    const [bx1, by1, bx2, by2] = coordinates(b);
    const area = (x1: tf.Tensor, y1: tf.Tensor, x2: tf.Tensor, y2: tf.Tensor): tf.Tensor =>
      tf.mul(tf.maximum(tf.sub(x2, x1), 0), tf.maximum(tf.sub(y2, y1), 0));
    const shared = area(larger(ax1, bx1), larger(ay1, by1), smaller(ax2, bx2), smaller(ay2, by2));
    const around = area(smaller(ax1, bx1), smaller(ay1, by1), larger(ax2, bx2), larger(ay2, by2));
    const joined = tf.sub(tf.add(areas(a), areas(b)), shared);
    const [union, enclosing] = isAdded ? [joined, around] : [tf.maximum(joined, epsilon), tf.maximum(around, epsilon)];
    const added = isAdded ? epsilon : 0;
    return tf.sub(tf.div(shared, tf.add(union, added)), tf.div(tf.sub(enclosing, union), tf.add(enclosing, added)));
  });
}

/** The maximum; where both are equal, each gets half of the gradient, as in the reference. */
function larger(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return tf.customGrad((x, y, save) => {
    const [left, right] = [x as tf.Tensor, y as tf.Tensor];
    (save as tf.GradSaveFunc)([left, right]);
    const share = (of: tf.Tensor, other: tf.Tensor): tf.Tensor => {
      const isGreater = tf.cast(tf.greater(of, other), 'float32');
      return tf.mul(tf.add(isGreater, tf.cast(tf.greaterEqual(of, other), 'float32')), 0.5);
    };
    return {
      value: tf.maximum(left, right),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [first, second] = saved as [tf.Tensor, tf.Tensor];
        return [tf.mul(dy, share(first, second)), tf.mul(dy, share(second, first))];
      },
    };
  })(a, b);
}

function smaller(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  return tf.neg(larger(tf.neg(a), tf.neg(b)));
}
