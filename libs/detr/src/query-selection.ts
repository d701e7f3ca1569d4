/**
 * Tokens of the memory that become queries: the first stage of two-stage Deformable DETR (Zhu et al. 2021, section 4.2,
 * appendix A.4) and of DINO (Zhang et al. 2023, section 3.4).
 */
import * as tf from '@tensorflow/tfjs-core';
import { detached, takeRows } from '@pyramidal/boxes';
import { type LayerNorm, type Linear } from '@pyramidal/nn';
import { cellCentres, type LevelPadding, validCells } from './padding';

/** A box around each token before anything is learned. */
export interface TokenProposals {
  /** float32 [N, S, 4]: inverse sigmoids of centre and size in shares of the image; Infinity where there is none. */
  readonly boxes: tf.Tensor3D;
  /** float32 [N, S, 1], 1 where there is one: not in padding, nor at the very edge. */
  readonly valid: tf.Tensor3D;
}

/** Side of a proposal on the finest level over that of the image; it doubles from level to level. */
const SIDE = 0.05;
/** Numbers of a proposal lie between it and 1 less it. */
const EDGE = 0.01;

export function tokenProposals(levels: readonly LevelPadding[]): TokenProposals {
  return tf.tidy(() => {
    const boxes = levels.map((level, i): tf.Tensor3D => {
      const centres = cellCentres(level);
      return tf.concat([centres, tf.fill<tf.Rank.R3>(centres.shape, SIDE * 2 ** i)], 2);
    });
    const box = tf.concat(boxes, 1);
    const isInside = tf.all(tf.logicalAnd(tf.greater(box, EDGE), tf.less(box, 1 - EDGE)), 2, true);
    const isCell = tf.cast(tf.concat(levels.map(validCells), 1), 'bool');
    const isValid = tf.logicalAnd(isInside, isCell);
    const unactivated = tf.log(tf.div(box, tf.sub(1, box)));
    return {
      boxes: tf.where(tf.broadcastTo(isValid, box.shape), unactivated, tf.fill(box.shape, Infinity)) as tf.Tensor3D,
      valid: tf.cast(isValid, 'float32') as tf.Tensor3D,
    };
  });
}

/** What the heads see of tokens. @param memory float32 [N, S, channels]. @returns the same shape. */
export function outputMemory(memory: tf.Tensor3D, valid: tf.Tensor3D, output: Linear, norm: LayerNorm): tf.Tensor3D {
  return tf.tidy(() => norm.forward(output.forward(tf.mul<tf.Tensor3D>(memory, valid))));
}

/** The tokens with the highest scores, best first; of equal ones the first. @returns int32 [N, count]. */
export function bestTokens(count: number, scores: () => tf.Tensor2D): tf.Tensor2D {
  return detached(() => {
    const own = scores();
    return tf.topk(own, Math.min(count, own.shape[1])).indices;
  });
}

/** Rows of tokens. @param tokens float32 [N, S, C]. @param indices int32 [N, K]. @returns float32 [N, K, C]. */
export function takeTokens(tokens: tf.Tensor3D, indices: tf.Tensor2D): tf.Tensor3D {
  return tf.tidy(() => {
    const [images, rows, channels] = tokens.shape;
    const first = tf.reshape(tf.range(0, images * rows, rows, 'int32'), [images, 1]);
    const at = tf.reshape<tf.Rank.R1>(tf.add(indices, first), [-1]);
    return tf.reshape(takeRows(tf.reshape<tf.Rank.R2>(tokens, [-1, channels]), at), [images, -1, channels]);
  });
}
