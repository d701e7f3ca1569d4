/** Convolutions of 3x3 filters with a quarter of the multiplications (Lavin & Gray 2016), where the engine has them. */
import * as tf from '@tensorflow/tfjs-core';
import { recordedProcessorOps, type NativeOps } from '#native-ops';
import { isTakingGradient } from './slope';

/** Both numbers of channels are multiples of it. */
const CHANNELS = 32;
/** Below so many channels, or tiles of 4x4 cells, the transforms cost more than the products save. */
const LEAST_CHANNELS = 64;
const LEAST_TILES = 200;
const TILE = 4;

/**
 * The convolution of stride 1 with one cell of zeros on every side, as one operation of this project's addon; null where that
 * does not exist or is not faster. Only graphs have it.
 * @param x float32 [N, H, W, I]. @param filter float32 [3, 3, I, O].
 * @param addend float32 [N, H, W, O], added to the result, which then has no gradient.
 * @returns float32 [N, H, W, O].
 */
export function ownConv3x3(x: tf.Tensor4D, filter: tf.Tensor4D, addend?: tf.Tensor4D): tf.Tensor4D | null {
  if (!isWorthIt(x, filter)) return null;
  const own = recordedProcessorOps({ isFloat32: true });
  if (own === null) return null;
  return isTakingGradient() ? withGradients(own, x, filter) : withoutGradient(own, x, filter, addend);
}

/** Norm and ReLU that follow go into the operation (`rewrites.ts` of the graph). */
function withoutGradient(own: NativeOps, x: tf.Tensor4D, filter: tf.Tensor4D, addend?: tf.Tensor4D): tf.Tensor4D {
  const channels = [filter.shape[3]];
  const addends = addend === undefined ? [] : [addend];
  return own.run(
    'PyramidalConv3x3Ended',
    [x, filter, tf.ones(channels), tf.zeros(channels), ...addends],
    [own.int('addends', addends.length), own.bool('relu', false)],
  );
}

function withGradients(own: NativeOps, x: tf.Tensor4D, filter: tf.Tensor4D): tf.Tensor4D {
  return tf.customGrad((...args) => {
    const [map, taps, save] = args as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([map, taps]);
    return {
      value: own.run('PyramidalConv3x3', [map, taps], []),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => [
        own.run('PyramidalConv3x3InputGrad', [dy, saved[1]!], []),
        own.run('PyramidalConv3x3FilterGrad', [saved[0]!, dy], []),
      ],
    };
  })(x, filter) as tf.Tensor4D;
}

function isWorthIt({ shape: [n, height, width] }: tf.Tensor4D, { shape }: tf.Tensor4D): boolean {
  const [rows, columns, ...channels] = shape;
  const tiles = n * Math.ceil(height / TILE) * Math.ceil(width / TILE);
  const isWide = channels.every((count) => count >= LEAST_CHANNELS && count % CHANNELS === 0);
  return rows === 3 && columns === 3 && isWide && tiles >= LEAST_TILES;
}
