/** Adaptive training sample selection, centerness and the losses against those of MMDetection. */
import * as tf from '@tensorflow/tfjs-core';
import { clipBoxes, decodeDeltas, encodeDeltas, oneHot } from '@pyramidal/boxes';
import { type ImageAnchors, PyramidAnchors } from '@pyramidal/dense';
import { binaryCrossEntropy, focalLoss, giouLoss } from '@pyramidal/losses';
import {
  expectClose,
  expectNoLeaks,
  goldenNoise,
  goldenValues,
  inEngine,
  readFixture,
  type GoldenFull,
} from '@pyramidal/testing';
import { ATSS } from './atss';
import { assignAdaptively } from './atss-assigner';
import { centerness } from './centerness';

interface GoldenAssignment {
  readonly gts: GoldenFull;
  readonly positive_index: readonly number[];
  readonly positive_gt: readonly number[];
  readonly positive_iou: GoldenFull;
  readonly must_match: boolean;
  readonly ties: { readonly positives_with_lowest_index_rule: readonly [number[], number[]] | null };
}

interface GoldenUnits {
  readonly levels: readonly { readonly stride: number; readonly map: readonly [number, number] }[];
  readonly anchors_first: readonly GoldenFull[];
  readonly total: number;
  readonly assigner: Readonly<Record<string, GoldenAssignment>>;
  readonly assigner_ignore_iof_05: {
    readonly gts: number[][];
    readonly ignore: number[][];
    readonly gt_inds_positive: readonly [number[], number[]];
    readonly ignored_count: number;
  };
  readonly assigner_two_anchors: { readonly anchors: GoldenFull; readonly gt: number[]; readonly gt_inds: number[] };
  readonly centerness: Readonly<Record<'anchors' | 'gts' | 'encode' | 'centerness', GoldenFull>>;
  readonly decode: Readonly<Record<'boxes' | 'clipped_100x150', GoldenFull>>;
  readonly focal: {
    readonly labels: number[];
    readonly weights: number[];
    readonly avg_factor: number;
    readonly loss: number;
    readonly grad: GoldenFull;
  };
  readonly giou: Readonly<
    Record<
      'pred' | 'target' | 'weight' | 'grad' | 'degenerate_pred' | 'degenerate_target' | 'degenerate_giou',
      GoldenFull
    >
  > & { readonly loss: number };
  readonly centerness_loss: Readonly<Record<'logits' | 'target' | 'grad', GoldenFull>> & {
    readonly avg_factor: number;
    readonly loss: number;
  };
}

const golden = readFixture(__dirname, 'atss_units') as GoldenUnits;

const strides = golden.levels.map(({ stride }) => stride);
const pyramid = new PyramidAnchors({ strides, scales: [ATSS.anchorScale], ratios: [1] });
const maps = golden.levels.map(({ map }) => map);

const rowsOf = (full: GoldenFull): tf.Tensor2D => tf.tensor2d(goldenValues(full), full.shape as [number, number]);
const listOf = (full: GoldenFull): tf.Tensor1D => tf.tensor1d(goldenValues(full));
const named = (name: string, shape: [number, number], scale: number): tf.Tensor2D =>
  tf.tensor2d(
    Float32Array.from(goldenNoise(name, shape), (value) => scale * Math.fround(value)),
    shape,
  );

const everyAnchor = (): ImageAnchors => ({
  anchors: pyramid.of(maps),
  counts: maps.map(([height, width]) => height * width),
  included: tf.ones<tf.Rank.R1>([golden.total], 'bool'),
});

/** Objects, and a last row that holds none. */
function truthOf(boxes: tf.Tensor2D) {
  const padded = tf.concat<tf.Tensor2D>([boxes, tf.tensor2d([[0, 0, 200, 150]])]);
  return { boxes: padded, valid: tf.tensor1d([...Array(boxes.shape[0]).fill(true), false], 'bool') };
}

/** Where `assigned` names an object, and which, counted from 0. */
function positivesOf(assigned: tf.Tensor1D): [rows: number[], objects: number[]] {
  const found = [...assigned.dataSync()].flatMap((value, row) => (value > 0 ? [[row, value - 1] as const] : []));
  return [found.map(([row]) => row), found.map(([, object]) => object)];
}

inEngine();

it('has one square anchor around the corner of every cell', () => {
  maps.forEach((map, level) => {
    const first = golden.anchors_first[level]!;
    const anchors = pyramid
      .ofLevel(level, map)
      .dataSync()
      .slice(0, 4 * first.shape[0]!);
    expect([...anchors]).toEqual(goldenValues(first));
  });
});

describe('assignAdaptively', () => {
  it.each(Object.entries(golden.assigner))('chooses the anchors that the reference chooses: %s', (_, expected) => {
    const { positive_index, positive_gt, positive_iou, must_match, ties } = expected;
    const wanted = must_match ? [positive_index, positive_gt] : ties.positives_with_lowest_index_rule!;
    const { assigned, overlaps } = assignAdaptively(everyAnchor(), truthOf(rowsOf(expected.gts)), ATSS.assign);
    expect(positivesOf(assigned)).toEqual(wanted);
    if (!must_match) return;
    const found = overlaps.dataSync();
    expectClose(positive_index.map((row) => found[row]!), goldenValues(positive_iou), { rtol: 1e-5 }, 'overlaps'); // prettier-ignore
  });

  it('takes no anchors on regions of crowds where it is told to', () => {
    const { gts, ignore, gt_inds_positive, ignored_count } = golden.assigner_ignore_iof_05;
    const truth = { ...truthOf(tf.tensor2d(gts)), ignored: tf.tensor2d([...ignore, [0, 0, 0, 0]]) };
    const { assigned } = assignAdaptively(everyAnchor(), truth, { ...ATSS.assign, ignoreShare: 0.5 });
    expect(positivesOf(assigned)).toEqual(gt_inds_positive);
    expect([...assigned.dataSync()].filter((value) => value < 0)).toHaveLength(ignored_count);
    const plain = assignAdaptively(everyAnchor(), truth, ATSS.assign).assigned;
    expect([...plain.dataSync()].filter((value) => value < 0)).toHaveLength(0);
  });

  it('finds background alone without objects, and for an object that too few anchors can learn', () => {
    const none = assignAdaptively(everyAnchor(), truthOf(tf.zeros([0, 4])), ATSS.assign);
    expect([...none.assigned.dataSync()]).toEqual(Array(golden.total).fill(0));
    const { anchors, gt, gt_inds } = golden.assigner_two_anchors;
    const two = { anchors: rowsOf(anchors), counts: [2], included: tf.tensor1d([true, true], 'bool') };
    const truth = truthOf(tf.tensor2d([gt]));
    expect([...assignAdaptively(two, truth, ATSS.assign).assigned.dataSync()]).toEqual(gt_inds);
    // One candidate has no deviation.
    const one = { ...two, included: tf.tensor1d([true, false], 'bool') };
    expect([...assignAdaptively(one, truth, ATSS.assign).assigned.dataSync()]).toEqual([0, -1]);
  });

  it('leaves anchors that take no part to nobody, and tensors as they were', async () => {
    const [all, truth] = [everyAnchor(), truthOf(rowsOf(golden.assigner['main']!.gts))];
    const isFirstRows: tf.Tensor1D = tf.less(tf.range(0, golden.total, 1, 'int32'), 200);
    const { assigned } = assignAdaptively({ ...all, included: isFirstRows }, truth, ATSS.assign);
    expect(new Set(assigned.dataSync().slice(200))).toEqual(new Set([-1]));
    expect(Math.max(...assigned.dataSync())).toBeGreaterThan(0);
    await expectNoLeaks(() => tf.dispose(assignAdaptively(all, truth, ATSS.assign)));
  });
});

describe('targets and losses', () => {
  it('centerness and box deltas equal the reference', () => {
    const { anchors, gts, encode, centerness: expected } = golden.centerness;
    const [from, to] = [rowsOf(anchors), rowsOf(gts)];
    expectClose(centerness(from, to).dataSync(), goldenValues(expected), { rtol: 1e-5 }, 'centerness');
    expectClose(encodeDeltas(from, to, ATSS.deltas).dataSync(), goldenValues(encode), { rtol: 1e-5 }, 'deltas');
    const { boxes, clipped_100x150: clipped } = golden.decode;
    const decoded = decodeDeltas(from, named('atss.delta', [5, 4], 4), ATSS.deltas);
    expectClose(decoded.dataSync(), goldenValues(boxes), { rtol: 1e-5, atol: 1e-5 }, 'boxes');
    const onImage = clipBoxes(decoded, tf.tensor1d([100, 150]));
    expectClose(onImage.dataSync(), goldenValues(clipped), { rtol: 1e-5, atol: 1e-5 }, 'clipped boxes');
  });

  it('the focal loss equals the reference, and its gradient', () => {
    const { labels, weights, avg_factor, loss, grad } = golden.focal;
    const targets = oneHot(tf.tensor1d(labels, 'int32'), 20);
    const lossOf = (logits: tf.Tensor): tf.Tensor => {
      const perRow = tf.sum(focalLoss(logits as tf.Tensor2D, targets, ATSS.focal), 1);
      return tf.div(tf.sum(tf.mul(perRow, weights)), avg_factor);
    };
    const logits = named('atss.focal', [6, 20], 5);
    expectClose(lossOf(logits).dataSync(), [loss], { rtol: 1e-5 }, 'loss');
    expectSlope(tf.grad(lossOf)(logits), grad);
  });

  it('the GIoU loss by centerness equals the reference, and its gradient; so does GIoU of boxes without extent', () => {
    const { pred, target, weight, loss, grad, degenerate_pred, degenerate_target, degenerate_giou } = golden.giou;
    const lossOf = (boxes: tf.Tensor): tf.Tensor =>
      tf.mul(tf.sum(tf.mul(giouLoss(boxes as tf.Tensor2D, rowsOf(target)), listOf(weight))), ATSS.boxWeight);
    expectClose(lossOf(rowsOf(pred)).dataSync(), [loss], { rtol: 1e-5 }, 'loss');
    expectSlope(tf.grad(lossOf)(rowsOf(pred)), grad);
    const degenerate = giouLoss(rowsOf(degenerate_pred), rowsOf(degenerate_target));
    expectClose(degenerate.dataSync(), goldenValues(degenerate_giou).map((giou) => 1 - giou), { rtol: 1e-5 }, 'GIoU'); // prettier-ignore
  });

  it('the centerness loss equals the reference, and its gradient', () => {
    const { logits, target, avg_factor, loss, grad } = golden.centerness_loss;
    const lossOf = (x: tf.Tensor): tf.Tensor =>
      tf.div(tf.sum(binaryCrossEntropy(x as tf.Tensor1D, listOf(target))), avg_factor);
    expectClose(lossOf(listOf(logits)).dataSync(), [loss], { rtol: 1e-5 }, 'loss');
    expectSlope(tf.grad(lossOf)(listOf(logits)), grad);
  });
});

function expectSlope(gradient: tf.Tensor, expected: GoldenFull): void {
  const wanted = goldenValues(expected);
  expectClose(gradient.dataSync(), wanted, { atol: 1e-5 * Math.max(...wanted.map(Math.abs)) }, 'gradient');
}
