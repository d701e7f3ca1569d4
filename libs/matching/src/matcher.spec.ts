/** Overlaps and matches against those of MMDetection. */
import * as tf from '@tensorflow/tfjs-core';
import { iouOf } from '@pyramidal/boxes';
import { expectClose, goldenValues, inEngine, readFixture, type GoldenFull } from '@pyramidal/testing';
import { matchBoxes, type MatchOptions } from './matcher';

interface GoldenResult {
  readonly gt_inds: readonly number[];
  readonly max_overlaps: readonly number[];
}

interface GoldenMatching {
  readonly config: {
    readonly pos_iou_thr: number;
    readonly neg_iou_thr: number;
    readonly min_pos_iou: number;
    readonly match_low_quality?: boolean;
    readonly gt_max_assign_all?: boolean;
    readonly ignore_iof_thr?: number;
  };
  readonly boxes?: GoldenFull;
  readonly gts?: GoldenFull;
  readonly result: GoldenResult;
  readonly no_gt?: GoldenResult;
  readonly no_boxes?: GoldenResult;
  readonly without_low_quality?: GoldenResult | readonly number[];
}

const golden = readFixture(__dirname, 'assigner') as {
  boxes: GoldenFull;
  gts: GoldenFull;
  gts_ignore: GoldenFull;
  iof_ignore: GoldenFull;
  iou: GoldenFull;
  cases: Record<string, GoldenMatching>;
};

const tensor = (full: GoldenFull): tf.Tensor2D => tf.tensor2d(goldenValues(full), full.shape as [number, number]);
const bools = (values: readonly boolean[]): tf.Tensor1D => tf.tensor1d([...values], 'bool');

function optionsOf({ config }: GoldenMatching): MatchOptions {
  const { pos_iou_thr, neg_iou_thr, min_pos_iou, match_low_quality = true, gt_max_assign_all = true } = config;
  const lowQuality = { minIou: min_pos_iou, take: gt_max_assign_all ? ('all' as const) : ('first' as const) };
  const { ignore_iof_thr = -1 } = config;
  return {
    positiveIou: pos_iou_thr,
    negativeIou: neg_iou_thr,
    ...(match_low_quality && { lowQuality }),
    ...(ignore_iof_thr >= 0 && { ignoreShare: ignore_iof_thr }),
  };
}

inEngine();

describe('iouOf', () => {
  it('gives the reference overlaps', () => {
    const overlaps = iouOf(tf.expandDims(tensor(golden.gts), 1), tf.expandDims(tensor(golden.boxes), 0));
    expectClose(overlaps.dataSync(), goldenValues(golden.iou), { rtol: 1e-6 });
  });
});

describe.each(Object.entries(golden.cases))('matchBoxes, %s', (_, expected) => {
  const boxes = (): tf.Tensor2D => tensor(expected.boxes ?? golden.boxes);
  const gts = (): tf.Tensor2D => tensor(expected.gts ?? golden.gts);
  const share = expected.config.ignore_iof_thr ?? -1;

  it('matches as the reference does, whatever the padding', () => {
    for (const padding of [0, 3]) {
      const truth = {
        boxes: tf.concat([
          gts(),
          tf.tensor2d(
            Array.from({ length: padding }, () => [0, 0, 50, 50]),
            [padding, 4],
          ),
        ]),
        valid: bools(Array.from({ length: gts().shape[0] + padding }, (_, i) => i < gts().shape[0])),
        ignored: tensor(golden.gts_ignore),
      };
      const { assigned, overlaps } = matchBoxes(boxes(), truth, optionsOf(expected));
      expect([...assigned.dataSync()]).toEqual(expected.result.gt_inds);
      // The reference reports the overlaps of ignored boxes, too.
      const shares = goldenValues(golden.iof_ignore);
      const best = expected.result.max_overlaps.map((iou, i) => (share >= 0 && shares[i]! > share ? -1 : iou));
      expectClose(overlaps.dataSync(), best, { atol: 1e-6 }, 'overlaps');
    }
  });

  if (expected.no_gt === undefined) return;

  it('leaves images without objects and without boxes as the reference does', () => {
    const nothing = { boxes: tf.zeros<tf.Rank.R2>([2, 4]), valid: bools([false, false]) };
    const { assigned, overlaps } = matchBoxes(boxes(), nothing, optionsOf(expected));
    expect([...assigned.dataSync()]).toEqual(expected.no_gt!.gt_inds);
    expect([...overlaps.dataSync()]).toEqual(expected.no_gt!.max_overlaps);
  });
});

describe('matchBoxes', () => {
  it('takes no boxes, and lets the best of each object override', () => {
    const expected = golden.cases['low_quality_override']!;
    const truth = { boxes: tensor(expected.gts!), valid: bools(expected.gts!.shape.slice(0, 1).flatMap((n) => Array(n).fill(true))) }; // prettier-ignore
    const { lowQuality, ...plain } = optionsOf(expected);
    expect(lowQuality).toBeDefined();
    const without = expected.without_low_quality as GoldenResult;
    const received = [...matchBoxes(tensor(expected.boxes!), truth, plain).assigned.dataSync()];
    expect(received).toEqual(without.gt_inds ?? expected.without_low_quality);
  });
});
