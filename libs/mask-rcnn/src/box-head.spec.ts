import * as tf from '@tensorflow/tfjs-core';
import { encodeDeltas } from '@pyramidal/boxes';
import { inferencePass } from '@pyramidal/nn';
import {
  expectClose,
  expectGoldenStats,
  fillGoldenPart,
  goldenMap,
  goldenValues,
  inEngine,
  readFixture,
  stateShapes,
  takeFirst,
  type GoldenFull,
  type GoldenOverrides,
  type GoldenStats,
} from '@pyramidal/testing';
import { BoxHead, type BoxHeadOptions } from './box-head';
import { detect } from './detect';
import { type RoiTargets, sampleRois } from './roi-targets';

interface GoldenSampling {
  readonly train_cfg: {
    readonly assigner: { readonly match_low_quality: boolean };
    readonly sampler: { readonly num: number; readonly pos_fraction: number };
  };
  readonly gt_bboxes: readonly (readonly number[][])[];
  readonly gt_labels: readonly (readonly number[])[];
  readonly rois: GoldenFull;
  readonly num_pos: readonly number[];
  readonly input: Readonly<Record<string, readonly number[]>>;
  readonly cls_score: GoldenStats;
  readonly bbox_pred: GoldenStats;
  readonly labels: readonly number[];
  readonly bbox_targets: GoldenFull;
  readonly bbox_weights_rows: readonly number[];
  readonly loss_cls: number;
  readonly loss_bbox: number;
  readonly acc: number;
  readonly grad_cls_score: GoldenStats;
  readonly grad_bbox_pred: GoldenStats;
}

interface GoldenHead {
  readonly state_dict: readonly (readonly [string, readonly number[]])[];
  readonly samplers: Readonly<Record<string, GoldenSampling>>;
}

type HeadName = 'shared2fc_l1' | 'shared2fc_agnostic_smoothl1' | 'conv4fc1_giou_decoded';

const golden = readFixture(__dirname, 'bbox_head') as {
  overrides: GoldenOverrides;
  proposals: number[][][];
  cases: Record<HeadName, GoldenHead>;
  post_processing: {
    overrides: GoldenOverrides;
    rois: GoldenFull;
    input: Record<string, number[]>;
    img_shape: number[];
    scale_factor: number[];
    cls_score: GoldenStats;
    results: Record<
      string,
      {
        rescale: boolean;
        test_cfg: { score_thr: number; nms: { iou_threshold: number }; max_per_img: number };
        count: number;
        boxes_scores: GoldenFull;
        labels: number[];
      }
    >;
  };
};

const COMMON = { classes: 20, channels: 32, bins: 7, hidden: 64, deltas: { stds: [0.1, 0.1, 0.2, 0.2] } } as const;
const HEADS: Record<HeadName, BoxHeadOptions> = {
  shared2fc_l1: { ...COMMON, boxLoss: { kind: 'smooth-l1', beta: 0 } },
  shared2fc_agnostic_smoothl1: { ...COMMON, classAgnostic: true, boxLoss: { kind: 'smooth-l1', beta: 1 } },
  conv4fc1_giou_decoded: { ...COMMON, layers: { convs: 4, fcs: 1 }, boxLoss: { kind: 'giou', weight: 10 } },
};

function namedFeatures(input: Readonly<Record<string, readonly number[]>>): tf.Tensor4D {
  const [[name, shape]] = Object.entries(input) as [[string, [number, number, number, number]]];
  const [n, c, h, w] = shape;
  return tf.tensor4d(goldenMap(name, shape), [n, h, w, c]);
}

/** RoIs of all images, without the rows that nothing fills, as the reference lists them. */
function targetsOf({ train_cfg, gt_bboxes, gt_labels }: GoldenSampling): RoiTargets {
  const { assigner, sampler } = train_cfg;
  const perImage = gt_bboxes.map((boxes, image) => {
    const labels = gt_labels[image]!;
    const proposals = tf.tensor2d(golden.proposals[image]!);
    const truth = {
      boxes: tf.concat([tf.tensor2d([...boxes], [boxes.length, 4]), tf.zeros<tf.Rank.R2>([2, 4])]),
      labels: tf.tensor1d([...labels, -1, -1], 'int32'),
      valid: tf.tensor1d([...labels.map(() => true), false, false], 'bool'),
    };
    const match = {
      positiveIou: 0.5,
      negativeIou: 0.5,
      ...(assigner.match_low_quality && { lowQuality: { minIou: 0.5 } }),
    };
    const sample = { count: sampler.num, positiveShare: sampler.pos_fraction };
    const found = { boxes: proposals, valid: tf.tensor1d(Array(proposals.shape[0]).fill(true), 'bool') };
    return sampleRois(found, truth, COMMON.classes, { match, sample }, takeFirst);
  });
  const filled = (part: (targets: RoiTargets) => tf.Tensor): tf.Tensor =>
    tf.concat(perImage.map((targets) => tf.slice(part(targets), 0, tf.sum(targets.valid).dataSync()[0]!)));
  return {
    boxes: filled(({ boxes }) => boxes) as tf.Tensor2D,
    truthBoxes: filled(({ truthBoxes }) => truthBoxes) as tf.Tensor2D,
    truthRows: filled(({ truthRows }) => truthRows) as tf.Tensor1D,
    labels: filled(({ labels }) => labels) as tf.Tensor1D,
    positive: filled(({ positive }) => positive) as tf.Tensor1D,
    valid: filled(({ valid }) => valid) as tf.Tensor1D,
    isTruth: filled(({ isTruth }) => isTruth) as tf.Tensor1D,
    maxPositives: 0,
  };
}

inEngine();

describe.each(Object.keys(HEADS) as HeadName[])('BoxHead, %s', (name) => {
  const expected = golden.cases[name];
  const head = new BoxHead(HEADS[name]);
  const prefix = 'roi_head.bbox_head.';

  it('has the official parameters', () => {
    const state = stateShapes(head, prefix);
    expect(Object.fromEntries(state)).toEqual(Object.fromEntries(expected.state_dict));
    fillGoldenPart(head, prefix, golden.overrides);
  });

  it.each(Object.entries(expected.samplers))(
    "gives the reference's targets, losses and gradients: %s",
    (_, sampling) => {
      const targets = targetsOf(sampling);
      const rois = goldenValues(sampling.rois).filter((_, i) => i % 5 !== 0);
      expectClose(targets.boxes.dataSync(), rois, { atol: 1e-4 }, 'RoIs');
      expect([...targets.labels.dataSync()]).toEqual(sampling.labels);
      expect([...targets.positive.dataSync()]).toEqual(sampling.bbox_weights_rows);
      expectTargets(targets, sampling.bbox_targets);

      const output = head.forward(namedFeatures(sampling.input), inferencePass());
      expectGoldenStats(output.logits.dataSync<'float32'>(), sampling.cls_score, { tolerance: 1e-4 }, 'logits');
      expectGoldenStats(output.deltas.dataSync<'float32'>(), sampling.bbox_pred, { tolerance: 1e-4 }, 'deltas');
      const losses = head.loss(output, targets);
      const received = [losses.class, losses.box, losses.accuracy].map((loss) => loss.dataSync()[0]!);
      expectClose(
        received,
        [sampling.loss_cls, sampling.loss_bbox, sampling.acc],
        { rtol: 1e-5, atol: 1e-5 },
        'losses',
      );

      const [byLogits, byDeltas] = tf.grads((logits, deltas) => {
        const { class: cls, box } = head.loss(
          { logits: logits as tf.Tensor2D, deltas: deltas as tf.Tensor2D },
          targets,
        );
        return tf.add(cls, box);
      })([output.logits, output.deltas]) as [tf.Tensor, tf.Tensor];
      const tolerance = { tolerance: 1e-4, relativeTo: 'max' } as const;
      expectGoldenStats(byLogits.dataSync<'float32'>(), sampling.grad_cls_score, tolerance, 'gradient of logits');
      expectGoldenStats(byDeltas.dataSync<'float32'>(), sampling.grad_bbox_pred, tolerance, 'gradient of deltas');
    },
  );

  /** The reference's targets are deltas, or boxes where the loss decodes; zero for background. */
  function expectTargets({ boxes, truthBoxes, positive }: RoiTargets, wanted: GoldenFull): void {
    const { boxLoss, deltas } = HEADS[name];
    const targets = boxLoss.kind === 'giou' ? truthBoxes : encodeDeltas(boxes, truthBoxes, deltas);
    const known = tf.mul(targets, tf.expandDims(tf.cast(positive, 'float32'), 1));
    expectClose(known.dataSync(), goldenValues(wanted), { rtol: 1e-5, atol: 1e-4 }, 'targets');
  }
});

describe('detect', () => {
  const { overrides, rois, input, img_shape, scale_factor, cls_score, results } = golden.post_processing;

  it.each(Object.entries(results))('gives the boxes of the reference: %s', (_, expected) => {
    const options = HEADS.shared2fc_l1;
    const head = new BoxHead(options);
    fillGoldenPart(head, 'roi_head.bbox_head.', overrides);
    const output = head.forward(namedFeatures(input), inferencePass());
    expectGoldenStats(output.logits.dataSync<'float32'>(), cls_score, { tolerance: 1e-4 }, 'logits');
    const boxes = tf.slice(tf.tensor2d(goldenValues(rois), [rois.shape[0]!, 5]), [0, 1], [-1, 4]) as tf.Tensor2D;
    const [x, y] = expected.rescale ? scale_factor : [1, 1];
    const { score_thr: scoreThreshold, nms, max_per_img: count } = expected.test_cfg;
    const inputs = {
      boxes,
      valid: tf.tensor1d(Array(boxes.shape[0]).fill(true), 'bool'),
      size: tf.tensor1d(img_shape),
      scale: tf.tensor1d([y!, x!]),
    };
    const found = detect(output, inputs, options, { scoreThreshold, iouThreshold: nms.iou_threshold, count });
    expect(tf.sum(found.valid).dataSync()[0]).toBe(expected.count);
    const first = <T extends tf.Tensor>(rows: T): T => tf.slice(rows, 0, expected.count);
    expect([...first(found.labels).dataSync()]).toEqual(expected.labels);
    const received = tf.concat([first(found.boxes), tf.expandDims(first(found.scores), 1) as tf.Tensor2D], 1);
    expectClose(received.dataSync(), goldenValues(expected.boxes_scores), { rtol: 1e-5, atol: 1e-3 }, 'detections');
    head.dispose();
  });
});
