/**
 * Random weights tell all RoIs the same and find nothing. Here the classes of a detector are spread as a trained one's are, so that
 * a usual number of candidates goes into suppression and 100 detections come out; `peers/tasks_contender.py` does the same.
 */
import type { Detector } from '@pyramidal/detector';
import type { TwoStageDetector } from '@pyramidal/mask-rcnn';
import { inferencePass } from '@pyramidal/nn';
import * as tf from '@tensorflow/tfjs-core';

/** Of the logits of each class over the RoIs. */
const SPREAD = 2;
/** Pairs of a RoI and a class that score above the threshold. */
const CANDIDATES = 1000;
const THRESHOLD = 0.05;
const SIZE = [800, 1333] as const;
const CANVAS = [800, 1344] as const;

type BoxHead = Exclude<TwoStageDetector['roiHead']['bboxHead'], unknown[]>;

/** Scales and shifts the layer that gives the class logits, by what it gives for noise. */
export function calibrate(detector: Detector): void {
  const head = (detector as TwoStageDetector).roiHead.bboxHead as BoxHead;
  const logits = logitsOn(detector, head);
  const rows = logits.shape[0];
  tf.tidy(() => {
    const { mean, variance } = tf.moments(logits, 0);
    const scale = tf.div(SPREAD, tf.sqrt(variance));
    const { weight, bias } = head.fcCls;
    weight.variable.assign(tf.mul(weight.variable, scale));
    const spread = tf.mul(tf.sub(logits, mean), scale) as tf.Tensor2D;
    const centred = tf.mul(tf.sub(bias!.variable, mean), scale);
    const background = backgroundFor(spread.arraySync(), CANDIDATES / rows);
    const last = tf.oneHot(tf.scalar(head.options.classes, 'int32'), head.options.classes + 1);
    bias!.variable.assign(tf.add(centred, tf.mul(tf.cast(last, 'float32'), background)));
  });
  logits.dispose();
}

function logitsOn(detector: Detector, head: BoxHead): tf.Tensor2D {
  let logits: tf.Tensor2D | undefined;
  const forward = head.forward.bind(head);
  head.forward = (...args) => {
    const output = forward(...args);
    logits = tf.keep(tf.clone(output.logits));
    return output;
  };
  tf.tidy(() => {
    const images = tf.randomNormal<tf.Rank.R4>([1, ...CANVAS, 3], 0, 1, 'float32', 1);
    detector.predict({ images, sizes: tf.tensor2d([[...SIZE]]) }, tf.ones([1, 2]), inferencePass());
  });
  head.forward = forward;
  if (logits === undefined) throw new Error('calibrate: the box head was not run');
  return logits;
}

/** What to add to the background's logit, so that so many classes of a RoI score above the threshold on average. */
function backgroundFor(logits: readonly (readonly number[])[], perRoi: number): number {
  let [low, high] = [-20, 20];
  while (high - low > 1e-3) {
    const middle = (low + high) / 2;
    if (candidates(logits, middle) > perRoi * logits.length) low = middle;
    else high = middle;
  }
  return high;
}

function candidates(logits: readonly (readonly number[])[], background: number): number {
  return logits.reduce((count, row) => {
    const scores = row.map((logit, i) => Math.exp(i === row.length - 1 ? logit + background : logit));
    const sum = scores.reduce((all, score) => all + score, 0);
    return count + scores.slice(0, -1).filter((score) => score / sum > THRESHOLD).length;
  }, 0);
}
