/** Which query answers for which object (Carion et al. 2020, DETR, section 3.1): the matching of least total cost. */
import * as tf from '@tensorflow/tfjs-core';
import {
  detached,
  type FocalOptions,
  focalCosts,
  giouCosts,
  type GiouOptions,
  l1Costs,
  matchSets,
} from '@pyramidal/boxes';
import { toCorners } from './box-format';
import type { SetTruth } from './set-truth';

/** Q boxes an image, of which each class has a logit of its own. */
export interface SetPrediction {
  /** float32 [N, Q, classes]. */
  readonly logits: tf.Tensor3D;
  /** float32 [N, Q, 4], centre and size over those of the image. */
  readonly boxes: tf.Tensor3D;
}

/** Weights of the parts of costs and of losses. */
export interface SetWeights {
  readonly class: number;
  readonly box: number;
  readonly giou: number;
}

/** What a pair of a query and an object costs. */
export interface MatchCosts {
  readonly weights: SetWeights;
  readonly focal: FocalOptions;
  readonly giou: GiouOptions;
}

/** Added to probabilities before their logarithm. */
const EPSILON = 1e-8;

/**
 * Matches every object of an image with a query of its own, as far as there are queries; static, without a gradient.
 * @returns int32 [N, Q], `BACKGROUND`, or k for the object in row k - 1.
 * @throws Error if a prediction is not a number.
 */
export function hungarianMatch(prediction: SetPrediction, truth: SetTruth, costs: MatchCosts): tf.Tensor2D {
  return detached(() => matchSets(matchingCosts(prediction, truth, costs), tf.greaterEqual(truth.labels, 0)));
}

/** What every pair costs, float32 [N, Q, G]; columns without an object hold anything. */
export function matchingCosts(prediction: SetPrediction, truth: SetTruth, costs: MatchCosts): tf.Tensor3D {
  const { weights, focal, giou } = costs;
  return tf.tidy(() => {
    const perImage = (x: tf.Tensor): tf.Tensor2D[] => tf.unstack(x) as tf.Tensor2D[];
    const [logits, boxes, objects] = [prediction.logits, prediction.boxes, truth.boxes].map(perImage) as [
      tf.Tensor2D[],
      tf.Tensor2D[],
      tf.Tensor2D[],
    ];
    const labels = tf.unstack(truth.labels) as tf.Tensor1D[];
    const sums = logits.map((own, image) => {
      const [predicted, wanted] = [boxes[image]!, objects[image]!];
      const overlap = giouCosts(toCorners(predicted), toCorners(wanted), giou);
      const distance = tf.add(tf.mul(l1Costs(predicted, wanted), weights.box), tf.mul(overlap, weights.giou));
      const ofClass = focalCosts(own, labels[image]!, { ...focal, epsilon: EPSILON });
      return tf.add<tf.Tensor2D>(distance, tf.mul(ofClass, weights.class));
    });
    return tf.stack(sums) as tf.Tensor3D;
  });
}
