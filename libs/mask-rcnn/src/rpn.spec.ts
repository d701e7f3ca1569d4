import * as tf from '@tensorflow/tfjs-core';
import type { Truth } from '@pyramidal/detector';
import {
  expectClose,
  expectGoldenGradients,
  expectGoldenStats,
  fillGoldenPart,
  goldenMaps,
  goldenValues,
  inEngine,
  readFixture,
  stateShapes,
  takeFirst,
  torchOrder,
  type GoldenFull,
  type GoldenOverrides,
  type GoldenStats,
} from '@pyramidal/testing';
import { RpnHead, type RpnOptions } from './rpn';

interface GoldenProposals {
  readonly test_cfg: { readonly nms_pre: number; readonly max_per_img: number; readonly min_bbox_size: number };
  readonly images: readonly {
    readonly count: number;
    readonly degenerate: number;
    readonly first: GoldenFull;
    readonly last: GoldenFull;
    readonly stats: GoldenStats;
  }[];
}

interface GoldenLoss {
  readonly config: { readonly loss_bbox: { readonly beta?: number } };
  readonly train_cfg: {
    readonly sampler: { readonly num: number; readonly pos_fraction: number };
    readonly allowed_border: number;
  };
  readonly runs: Readonly<
    Record<
      'two_images' | 'second_without_gt',
      {
        readonly loss_rpn_cls: readonly number[];
        readonly loss_rpn_bbox: readonly number[];
        readonly total: number;
        readonly gradient_of_total: Readonly<Record<string, GoldenStats>> | null;
      }
    >
  >;
}

const golden = readFixture(__dirname, 'rpn') as {
  overrides: GoldenOverrides;
  inputs: Record<string, [number, number, number, number]>;
  metas: { img_shape: [number, number] }[];
  gt_bboxes: number[][][];
  forward: {
    state_dict: [string, number[]][];
    cls: GoldenStats[];
    reg: GoldenStats[];
    proposals: Record<string, GoldenProposals>;
  };
  losses: Record<string, GoldenLoss>;
};

const OPTIONS: RpnOptions = {
  channels: 32,
  anchors: { strides: [4, 8, 16, 32, 64], scales: [8], ratios: [0.5, 1, 2] },
  match: { positiveIou: 0.7, negativeIou: 0.3, lowQuality: { minIou: 0.3 } },
  sample: { count: 256, positiveShare: 0.5 },
  allowedBorder: -1,
  beta: 0,
  padding: 32,
};

function filledHead(options: RpnOptions): RpnHead {
  const head = new RpnHead(options);
  fillGoldenPart(head, 'rpn_head.', golden.overrides);
  return head;
}

const features = (): tf.Tensor4D[] => goldenMaps(golden);

const imageSizes = (): tf.Tensor2D => tf.tensor2d(golden.metas.map(({ img_shape }) => img_shape));

inEngine();

describe('RpnHead', () => {
  it('has the official parameters and gives the reference outputs', () => {
    const head = filledHead(OPTIONS);
    const { state_dict, cls, reg } = golden.forward;
    expect(stateShapes(head, 'rpn_head.')).toEqual(state_dict);
    head.forward(features()).forEach(({ objectness, deltas }, level) => {
      expectGoldenStats(torchOrder(objectness), cls[level]!, { tolerance: 1e-4 }, `objectness ${level}`);
      expectGoldenStats(torchOrder(deltas), reg[level]!, { tolerance: 1e-4 }, `deltas ${level}`);
    });
  });

  it.each(Object.entries(golden.forward.proposals))('proposes what the reference proposes: %s', (_, expected) => {
    const head = filledHead(OPTIONS);
    const { nms_pre: perLevel, max_per_img: count, min_bbox_size: minSize } = expected.test_cfg;
    const options = { perLevel, count, iouThreshold: 0.7, minSize };
    const proposals = head.propose(head.forward(features()), imageSizes(), options);
    proposals.forEach(({ boxes, scores, valid }, image) => {
      const { count: wanted, degenerate, first, last, stats } = expected.images[image]!;
      expect(tf.sum(valid).dataSync()[0]).toBe(wanted);
      const rows = tf.slice(tf.concat([boxes, tf.expandDims(scores, 1)], 1), 0, wanted).dataSync<'float32'>();
      const tolerance = { rtol: 1e-4, atol: 1e-3 };
      expectClose(rows.slice(0, 5 * first.shape[0]!), goldenValues(first), tolerance, 'first');
      expectClose(rows.slice(rows.length - 5 * last.shape[0]!), goldenValues(last), tolerance, 'last');
      expectGoldenStats(rows, stats, { tolerance: 1e-4 }, 'proposals');
      let empty = 0;
      for (let i = 0; i < rows.length; i += 5) {
        if (!(rows[i + 2]! > rows[i]! && rows[i + 3]! > rows[i + 1]!)) empty++;
      }
      expect(empty).toBe(degenerate);
    });
  });

  describe.each(Object.entries(golden.losses))('%s', (_, { config, train_cfg, runs }) => {
    const options: RpnOptions = {
      ...OPTIONS,
      sample: { count: train_cfg.sampler.num, positiveShare: train_cfg.sampler.pos_fraction },
      allowedBorder: train_cfg.allowed_border,
      beta: config.loss_bbox.beta ?? 0,
    };

    it.each(['two_images', 'second_without_gt'] as const)("gives the reference's losses and gradients: %s", (run) => {
      const expected = runs[run];
      const head = filledHead(options);
      const truth = golden.gt_bboxes.map((boxes, image): Truth => {
        const isEmpty = run === 'second_without_gt' && image === 1;
        const valid = boxes.map(() => !isEmpty);
        return { boxes: tf.tensor2d(boxes), valid: tf.tensor1d(valid, 'bool') };
      });
      const lossesOf = (maps: tf.Tensor4D[]) => head.loss(head.forward(maps), truth, imageSizes(), takeFirst);
      const losses = lossesOf(features());
      const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
      expectClose(
        [losses.objectness.dataSync()[0]!, losses.box.dataSync()[0]!],
        [sum(expected.loss_rpn_cls), sum(expected.loss_rpn_bbox)],
        { rtol: 1e-5, atol: 1e-7 },
        'losses',
      );
      if (expected.gradient_of_total === null) return;
      const maps = features();
      expectGoldenGradients({
        parameters: new Map([...head.parameters()].map(([name, parameter]) => [`rpn_head.${name}`, parameter])),
        maps: Object.fromEntries(Object.keys(golden.inputs).map((name, level) => [name, maps[level]!])),
        loss: (inputs) => {
          const { objectness, box } = lossesOf(inputs);
          return tf.add(objectness, box);
        },
        golden: expected.gradient_of_total,
      });
      head.dispose();
    });
  });
});
