/** The parts of Sparse R-CNN against those of MMDetection. */
import * as tf from '@tensorflow/tfjs-core';
import { decodeDeltas, oneHot, toCorners } from '@pyramidal/boxes';
import { focalLoss, giouLoss } from '@pyramidal/losses';
import { inferencePass } from '@pyramidal/nn';
import { pairCosts } from '@pyramidal/matching';
import {
  expectClose,
  expectGoldenStats,
  expectNoLeaks,
  fillGoldenPart,
  goldenMap,
  goldenNoise,
  goldenValues,
  inEngine,
  readFixture,
  stateShapes,
  type GoldenFull,
  type GoldenStats,
} from '@pyramidal/testing';
import { DiiHead } from './dii-head';
import { DynamicConv } from './dynamic-conv';
import { matchPredictions, setLoss } from './set-loss';
import { SPARSE_RCNN } from './sparse-rcnn';

type Shapes = readonly (readonly [string, readonly number[]])[];

interface GoldenMatching {
  readonly boxes_cxcywh_normalised: GoldenFull;
  readonly gt_boxes: number[][];
  readonly gt_labels: number[];
  readonly img_shape: readonly [number, number];
  readonly cost: GoldenFull | null;
  readonly gt_inds: number[];
  readonly labels: number[];
  readonly parts_weighted?: Readonly<Record<'classification' | 'l1' | 'giou', GoldenFull>>;
}

const golden = readFixture(__dirname, 'sparse_units') as {
  dynamic_conv: { state_dict: Shapes } & Record<'output' | 'grad_feature' | 'grad_roi', GoldenFull> &
    Record<'grad_dynamic_layer_weight' | 'grad_fc_layer_weight', GoldenStats>;
  dii_head: { state_dict: Shapes; bbox_delta: GoldenFull } & Record<'cls_score' | 'object_feature', GoldenStats>;
  assigner: { cases: Record<string, GoldenMatching> };
  coder: Record<'boxes' | 'deltas' | 'decode' | 'grad_deltas' | 'grad_boxes', GoldenFull>;
  stage_loss: {
    labels: number[];
    losses: Record<'loss_cls' | 'loss_bbox' | 'loss_iou', number>;
    total: number;
  } & Record<'boxes' | 'targets' | 'whwh' | 'grad_logits' | 'grad_boxes', GoldenFull>;
};

const { deltas: coder, focal, costs, weights } = SPARSE_RCNN;

/** A named input, `* scale`, then `+ shift`. */
function named<R extends tf.Rank>(name: string, shape: tf.ShapeMap[R], scale = 1, shift = 0): tf.Tensor<R> {
  const values = Float32Array.from(
    goldenNoise(name, shape),
    (value) => Math.fround(Math.fround(value) * scale) + shift,
  );
  return tf.tensor(values, shape);
}

function namedMap(name: string, [n, c, h, w]: [number, number, number, number]): tf.Tensor4D {
  return tf.tensor4d(goldenMap(name, [n, c, h, w]), [n, h, w, c]);
}

const rowsOf = (full: GoldenFull): tf.Tensor2D => tf.tensor2d(goldenValues(full), full.shape as [number, number]);

const channelsFirst = (map: tf.Tensor4D): ArrayLike<number> => tf.transpose(map, [0, 3, 1, 2]).dataSync();

function expectSlope(gradient: ArrayLike<number>, expected: GoldenFull, what: string): void {
  const wanted = goldenValues(expected);
  expectClose(gradient, wanted, { atol: 1e-5 * Math.max(...wanted.map(Math.abs)) }, what);
}

inEngine();

describe('DynamicConv', () => {
  const expected = golden.dynamic_conv;

  function filled(): DynamicConv {
    const conv = new DynamicConv({ channels: 8, dynamic: 4, bins: 3 });
    expect(stateShapes(conv, 'dyn.')).toEqual(expected.state_dict);
    fillGoldenPart(conv, 'dyn.');
    return conv;
  }

  it('gives the reference output and gradients', () => {
    const conv = filled();
    const [features, rois] = [named<tf.Rank.R2>('dyn.feature', [5, 8], 2), namedMap('dyn.roi', [5, 8, 3, 3])];
    const upstream = named<tf.Rank.R2>('dyn.grad', [5, 8]);
    expectClose(conv.forward(features, rois).dataSync(), goldenValues(expected.output), { atol: 1e-5 }, 'output');
    const lossOf = (x: tf.Tensor, y: tf.Tensor) => conv.forward(x as tf.Tensor2D, y as tf.Tensor4D);
    const [ofFeatures, ofRois] = tf.grads(lossOf)([features, rois], upstream) as [tf.Tensor2D, tf.Tensor4D];
    expectSlope(ofFeatures.dataSync(), expected.grad_feature, 'features');
    expectSlope(channelsFirst(ofRois), expected.grad_roi, 'RoIs');
    const { grads } = tf.variableGrads(() => tf.sum(tf.mul(conv.forward(features, rois), upstream)));
    for (const [{ weight }, stats, name] of [
      [conv.dynamicLayer, expected.grad_dynamic_layer_weight, 'dynamic layer'],
      [conv.fcLayer, expected.grad_fc_layer_weight, 'last layer'],
    ] as const) {
      const gradient = weight.toTorchOrder(grads[weight.variable.name]!.dataSync<'float32'>());
      expectGoldenStats(gradient, stats, { tolerance: 1e-5, relativeTo: 'max' }, name);
    }
  });

  it('leaves the tensor count unchanged', async () => {
    const conv = filled();
    const [features, rois] = [named<tf.Rank.R2>('dyn.feature', [5, 8]), namedMap('dyn.roi', [5, 8, 3, 3])];
    await expectNoLeaks(() => conv.forward(features, rois).dispose());
  });
});

describe('DiiHead', () => {
  it('has the official parameters and gives the reference outputs', () => {
    const { state_dict, cls_score, bbox_delta, object_feature } = golden.dii_head;
    const { clsLayers, regLayers, heads, bins } = SPARSE_RCNN;
    const sizes = { channels: 64, hidden: 128, dynamic: 16, bins, heads, clsLayers, regLayers };
    const head = new DiiHead({ ...sizes, classes: 20 });
    const prefix = 'roi_head.bbox_head.0.';
    expect(stateShapes(head, prefix)).toEqual(state_dict);
    fillGoldenPart(head, prefix);
    const [features, rois] = [named<tf.Rank.R3>('dii.feature', [2, 6, 64], 2), namedMap('dii.roi', [12, 64, 7, 7])];
    const found = head.forward(features, rois, inferencePass());
    expectGoldenStats(found.logits.dataSync<'float32'>(), cls_score, { tolerance: 1e-5 }, 'logits');
    expectClose(found.deltas.dataSync(), goldenValues(bbox_delta), { atol: 1e-5 }, 'deltas');
    expectGoldenStats(found.features.dataSync<'float32'>(), object_feature, { tolerance: 1e-5 }, 'features');
  });
});

describe.each(Object.entries(golden.assigner.cases))('matching, %s', (name, expected) => {
  const [rows] = expected.boxes_cxcywh_normalised.shape as [number, number];
  const { gt_boxes, gt_labels, img_shape, cost, parts_weighted } = expected;
  const inputs = () => {
    const logits = named<tf.Rank.R2>(`sparse.${name}.logits`, [rows, 20], 4, -2);
    const sides = tf.tensor1d([img_shape[1], img_shape[0], img_shape[1], img_shape[0]]);
    return { logits, sides, boxes: tf.mul<tf.Tensor2D>(toCorners(rowsOf(expected.boxes_cxcywh_normalised)), sides) };
  };

  it('has the costs of the reference', () => {
    if (cost === null || parts_weighted === undefined) return expect(gt_boxes).toEqual([]);
    const { logits, boxes, sides } = inputs();
    const [objects, labels] = [tf.tensor2d(gt_boxes), tf.tensor1d(gt_labels, 'int32')];
    const costsOf = (weights: Partial<typeof costs>): tf.Tensor2D =>
      pairCosts(
        { logits, corners: boxes, coordinates: tf.div(boxes, sides) },
        { labels, corners: objects, coordinates: tf.div(objects, sides) },
        { weights: { class: 0, box: 0, giou: 0, ...weights }, focal: { ...focal, epsilon: 1e-12 } },
      );
    const parts = {
      classification: costsOf({ class: costs.class }),
      l1: costsOf({ box: costs.box }),
      giou: costsOf({ giou: costs.giou }),
    };
    for (const [part, values] of Object.entries(parts)) {
      const wanted = goldenValues(parts_weighted[part as keyof typeof parts]);
      expectClose(values.dataSync(), wanted, { rtol: 1e-5, atol: 1e-5 }, part);
    }
    expectClose(costsOf(costs).dataSync(), goldenValues(cost), { rtol: 1e-5, atol: 1e-5 }, 'cost');
  });

  it('chooses the objects that the reference chooses, whatever the padding', () => {
    const { logits, boxes } = inputs();
    for (const padding of [1, 3]) {
      const objects = gt_boxes.length;
      const truth = {
        boxes: tf.tensor2d([...gt_boxes, ...Array(padding).fill([10, 10, 90, 90])]),
        labels: tf.tensor1d([...gt_labels, ...Array(padding).fill(-1)], 'int32'),
        valid: tf.tensor1d([...Array(objects).fill(true), ...Array(padding).fill(false)], 'bool'),
      };
      const prediction = { logits: tf.expandDims(logits) as tf.Tensor3D, boxes: tf.expandDims(boxes) as tf.Tensor3D };
      const found = matchPredictions(prediction, [truth], tf.tensor2d([[...img_shape]]), SPARSE_RCNN);
      expect([...found.dataSync()]).toEqual(expected.gt_inds);
    }
  });
});

it('moves boxes as the reference does, with its gradients', () => {
  const { boxes, deltas, decode, grad_deltas, grad_boxes } = golden.coder;
  const moved = decodeDeltas(rowsOf(boxes), rowsOf(deltas), coder);
  expectClose(moved.dataSync(), goldenValues(decode), { rtol: 1e-5, atol: 1e-4 }, 'boxes');
  const upstream = named<tf.Rank.R2>('sparse.dec.grad', [4, 4]);
  const decoded = (from: tf.Tensor, by: tf.Tensor): tf.Tensor => decodeDeltas(from, by, coder);
  const [ofBoxes, ofDeltas] = tf.grads(decoded)([rowsOf(boxes), rowsOf(deltas)], upstream) as [tf.Tensor, tf.Tensor];
  expectSlope(ofBoxes.dataSync(), grad_boxes, 'boxes');
  expectSlope(ofDeltas.dataSync(), grad_deltas, 'deltas');
});

describe('losses of a stage', () => {
  const { labels, boxes, targets, whwh, losses, total, grad_logits, grad_boxes } = golden.stage_loss;
  const isObject = labels.map((label) => Number(label < 20));
  const positives = isObject.reduce((sum, value) => sum + value, 0);

  it('equal the reference, and so do their gradients', () => {
    const isClass = oneHot(tf.tensor1d(labels, 'int32'), 20);
    const [sides, truth] = [rowsOf(whwh), rowsOf(targets)];
    const share = (perRow: tf.Tensor, weight: number): tf.Scalar => tf.mul(tf.div(tf.sum(perRow), positives), weight);
    const lossesOf = (logits: tf.Tensor, moved: tf.Tensor) => ({
      loss_cls: share(focalLoss(logits as tf.Tensor2D, isClass, focal), weights.class),
      loss_bbox: share(tf.mul(tf.sum(tf.div(tf.abs(tf.sub(moved, truth)), sides), 1), isObject), weights.box),
      loss_iou: share(tf.mul(giouLoss(moved as tf.Tensor2D, truth), isObject), weights.giou),
    });
    const logits = named<tf.Rank.R2>('sparse.loss.logits', [8, 20], 4, -2);
    const found = lossesOf(logits, rowsOf(boxes));
    for (const [name, loss] of Object.entries(found)) {
      expectClose(loss.dataSync(), [losses[name as keyof typeof losses]], { rtol: 1e-5 }, name);
    }
    const sum = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => tf.addN(Object.values(lossesOf(x, y)));
    expectClose(sum(logits, rowsOf(boxes)).dataSync(), [total], { rtol: 1e-5 }, 'total');
    const [ofLogits, ofBoxes] = tf.grads(sum)([logits, rowsOf(boxes)]) as [tf.Tensor, tf.Tensor];
    expectSlope(ofLogits.dataSync(), grad_logits, 'logits');
    expectSlope(ofBoxes.dataSync(), grad_boxes, 'boxes');
  });

  it('of images without objects are those of background alone', () => {
    const logits = tf.expandDims(named<tf.Rank.R2>('sparse.loss.logits', [8, 20], 4, -2)) as tf.Tensor3D;
    const prediction = { logits, boxes: tf.expandDims(rowsOf(boxes)) as tf.Tensor3D };
    const nothing = {
      boxes: tf.zeros<tf.Rank.R2>([2, 4]),
      labels: tf.tensor1d([-1, -1], 'int32'),
      valid: tf.tensor1d([false, false], 'bool'),
    };
    const found = setLoss(prediction, [nothing], tf.tensor2d([[128, 192]]), SPARSE_RCNN);
    const background = tf.sum(focalLoss(logits, tf.zerosLike(logits), focal)).dataSync()[0]!;
    expectClose(found.boxClass.dataSync(), [weights.class * background], { rtol: 1e-6 });
    expect([found.box.dataSync()[0], found.giou.dataSync()[0]]).toEqual([0, 0]);
  });
});
