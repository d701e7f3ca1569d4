/** Which query answers for which object (Carion et al. 2020, DETR, section 3.1): the matching of least total cost. */
import * as tf from '@tensorflow/tfjs-core';
import { detached, type GiouOptions, toCorners } from '@pyramidal/boxes';
import { imagesOf } from '@pyramidal/detector';
import type { FocalOptions } from '@pyramidal/losses';
import { matchSets, pairCosts, type SetWeights } from '@pyramidal/matching';
import type { SetTruth } from './set-truth';

/** Q boxes an image, of which each class has a logit of its own. */
export interface SetPrediction {
  /** float32 [N, Q, classes]. */
  readonly logits: tf.Tensor3D;
  /** float32 [N, Q, 4], centre and size over those of the image. */
  readonly boxes: tf.Tensor3D;
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
  const options = { ...costs, focal: { ...costs.focal, epsilon: EPSILON } };
  return tf.tidy(() => {
    const { logits, boxes } = prediction;
    const perImage = imagesOf({ logits, boxes, labels: truth.labels, objects: truth.boxes }).map((own) =>
      pairCosts(
        { logits: own.logits, ...bothForms(own.boxes) },
        { labels: own.labels, ...bothForms(own.objects) },
        options,
      ),
    );
    return tf.stack(perImage) as tf.Tensor3D;
  });
}

/** Boxes are compared by centre and size, and overlap by their corners. */
const bothForms = (boxes: tf.Tensor2D) => ({ coordinates: boxes, corners: toCorners(boxes) });
