/** Loss of a set of predictions (Sparse R-CNN, section 3.4): each object is learned by the one that matches it best. */
import * as tf from '@tensorflow/tfjs-core';
import { detached, extents, oneHot, takeRows } from '@pyramidal/boxes';
import { imagesOf, type ImageTruth } from '@pyramidal/detector';
import { overWorkers } from '@pyramidal/kernels';
import { focalLoss, type FocalOptions, giouLoss } from '@pyramidal/losses';
import { matchSets, pairCosts, type SetWeights, truthRowsOf } from '@pyramidal/matching';

export interface SetLossOptions {
  readonly focal: FocalOptions;
  /** How much each part counts; boxes are compared by their corners, as shares of the image's sides. */
  readonly costs: SetWeights;
  readonly weights: SetWeights;
}

/** What is predicted for N images. */
export interface SetPrediction {
  /** float32 [N, P, classes]. */
  readonly logits: tf.Tensor3D;
  /** float32 [N, P, 4], xyxy, pixels of the network's input. */
  readonly boxes: tf.Tensor3D;
}

export interface SetLosses {
  readonly boxClass: tf.Scalar;
  readonly box: tf.Scalar;
  readonly giou: tf.Scalar;
}

/** Added before the logarithms of costs. */
const EPSILON = 1e-12;

/**
 * The object that each prediction answers to; without a gradient.
 * @param sizes float32 [N, 2], (height, width). @returns int32 [N, P], 0 for none, k for ground truth k - 1.
 */
export function matchPredictions(
  { logits, boxes }: SetPrediction,
  truth: readonly ImageTruth[],
  sizes: tf.Tensor2D,
  { focal, costs }: Pick<SetLossOptions, 'focal' | 'costs'>,
): tf.Tensor2D {
  const options = { weights: costs, focal: { ...focal, epsilon: EPSILON } };
  const perImage = imagesOf({ logits, boxes, sides: extents(sizes) }).map((own, image) =>
    detached(() => {
      const { boxes: corners, labels } = truth[image]!;
      return pairCosts(
        { logits: own.logits, corners: own.boxes, coordinates: tf.div(own.boxes, own.sides) },
        { labels, corners, coordinates: tf.div(corners, own.sides) },
        options,
      );
    }),
  );
  return matchSets(tf.stack(perImage) as tf.Tensor3D, tf.stack(truth.map(({ valid }) => valid)) as tf.Tensor2D);
}

/**
 * Focal loss over all predictions; L1 and GIoU losses over those that answer to an object. All are divided by the number
 * of these in the batch, one at least.
 * @param sizes float32 [N, 2], (height, width).
 */
export function setLoss(
  prediction: SetPrediction,
  truth: readonly ImageTruth[],
  sizes: tf.Tensor2D,
  options: SetLossOptions,
): SetLosses {
  const { focal, weights } = options;
  const classes = prediction.logits.shape[2];
  const matches = matchPredictions(prediction, truth, sizes, options);
  const images = imagesOf({ ...prediction, matches, sides: extents(sizes) });
  const parts = truth.map((objects, image) => {
    const { logits, boxes, matches: assigned, sides } = images[image]!;
    const positive: tf.Tensor1D = tf.greater(assigned, 0);
    const isObject = tf.cast(positive, 'float32');
    const rows = truthRowsOf(assigned);
    const background: tf.Tensor1D = tf.fill(assigned.shape, classes, 'int32');
    const labels = tf.where(positive, takeRows(objects.labels, rows), background);
    const targets = takeRows(objects.boxes, rows);
    const distance = tf.sum(tf.div(tf.abs(tf.sub(boxes, targets)), sides), 1);
    return {
      boxClass: tf.sum(focalLoss(logits, oneHot(labels, classes), focal)),
      box: tf.sum(tf.mul(distance, isObject)),
      giou: tf.sum(tf.mul(giouLoss(boxes, targets), isObject)),
      positives: tf.sum(isObject),
    };
  });
  const total = (name: keyof (typeof parts)[number]): tf.Scalar =>
    tf.addN(parts.map((part) => part[name] as tf.Scalar));
  const positives = overWorkers.count(total('positives'), 1);
  const share = (name: keyof SetLosses, weight: number): tf.Scalar => tf.mul(tf.div(total(name), positives), weight);
  return {
    boxClass: share('boxClass', weights.class),
    box: share('box', weights.box),
    giou: share('giou', weights.giou),
  };
}
