/** Segmentation metrics against those of MMSegmentation. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectClose, goldenNoise } from '@pyramidal/testing';
import { SegmentationEvaluator, type SegmentationEvaluatorOptions } from './evaluator';
import type { SegmentationMetrics } from './metrics';

/** Numbers of mmseg 0.11.0 (eval_metrics, intersect_and_union); NaN is written as a string. */
interface GoldenCase {
  readonly num_classes: number;
  readonly reduce_zero_label?: boolean;
  readonly ignore_index?: number;
  readonly nan_to_num?: number;
  readonly pred?: number[][][];
  readonly label?: number[][][];
  readonly kind?: string;
  readonly H: number;
  readonly M: number;
  readonly ignore?: string;
  readonly must_match?: boolean;
  readonly result: Readonly<Record<string, number | 'NaN' | readonly (number | 'NaN')[]>>;
}

const { cases, shapes } = JSON.parse(readFileSync(join(__dirname, '../fixtures/miou.json'), 'utf8')) as {
  cases: Record<string, GoldenCase>;
  shapes: number[][];
};

type Maps = readonly { prediction: Uint8Array; label: Uint8Array }[];

/** The maps that the golden file describes: noise turned into labels, predictions that agree where other noise says so. */
function mapsOf(name: string, golden: GoldenCase): Maps {
  if (golden.pred !== undefined) {
    return golden.pred.map((rows, i) => ({
      prediction: Uint8Array.from(rows.flat()),
      label: Uint8Array.from(golden.label![i]!.flat()),
    }));
  }
  const { kind, H, M } = golden;
  return shapes.map((shape, i) => {
    const noise = (what: string): Float64Array => goldenNoise(`miou.${kind}.${what}${i}`, shape);
    const classes = (what: string): Uint8Array => Uint8Array.from(noise(what), (r) => Math.floor(((r + 1) / 2) * H));
    const [label, mix, other] = [classes('label'), noise('mix'), classes('pred')];
    const mixed = label.map((value, pixel) => (mix[pixel]! < M ? value : other[pixel]!));
    const prediction = kind === 'z' ? mixed.map((value) => Math.min(Math.max(value - 1, 0), 7)) : mixed;
    const threshold = name === 'ignore_255' ? 0.5 : kind === 'z' ? 0.8 : Infinity;
    noise('ignore').forEach((r, pixel) => r > threshold && (label[pixel] = 255));
    if (name === 'class_only_predicted') label.forEach((value, pixel) => value === 2 && (label[pixel] = 1));
    return { prediction, label };
  });
}

function evaluate(maps: Maps, options: SegmentationEvaluatorOptions): SegmentationEvaluator {
  const evaluator = new SegmentationEvaluator(options);
  for (const { prediction, label } of maps) evaluator.add(prediction, label);
  return evaluator;
}

const rulesOf = ({ num_classes, reduce_zero_label, ignore_index }: GoldenCase): SegmentationEvaluatorOptions => ({
  classes: num_classes,
  ...(reduce_zero_label === undefined ? {} : { reduceZeroLabel: reduce_zero_label }),
  ...(ignore_index === undefined ? {} : { ignoreIndex: ignore_index }),
});

/** Same numbers, and NaN exactly where the reference has it. */
function expectSame(actual: readonly number[], golden: unknown, what: string): void {
  const expected = [golden].flat().map(Number);
  expect(actual.map(Number.isNaN)).toEqual(expected.map(Number.isNaN));
  const zeroed = (values: readonly number[]): number[] => values.map((value) => (Number.isNaN(value) ? 0 : value));
  expectClose(zeroed(actual), zeroed(expected), { atol: 1e-8 }, what);
}

describe('SegmentationEvaluator', () => {
  it('counts what a reader can check', () => {
    const evaluator = evaluate([{ prediction: Uint8Array.of(0, 1, 1, 0, 1), label: Uint8Array.of(0, 0, 1, 1, 255) }], {
      classes: 2,
    });
    expect([...evaluator.confusion()]).toEqual([1, 1, 1, 1]);
    const { aAcc, mIoU, perClass } = evaluator.metrics({ beta: 2 });
    expect([aAcc, mIoU]).toEqual([0.5, 1 / 3]);
    expect(perClass[0]).toMatchObject({ intersect: 1, union: 3, precision: 0.5, acc: 0.5, dice: 0.5, fScore: 0.5 });
  });

  it.each(Object.entries(cases).filter(([, { must_match = true }]) => must_match))(
    'gives the numbers of golden/miou.json: %s',
    (name, golden) => {
      const evaluator = evaluate(mapsOf(name, golden), rulesOf(golden));
      const { perClass, ...means } = evaluator.metrics(
        golden.nan_to_num === undefined ? {} : { nanAs: golden.nan_to_num },
      );
      const { result } = golden;
      for (const mean of ['aAcc', 'mIoU', 'mAcc', 'mDice'] as const) {
        expectSame([means[mean as keyof Omit<SegmentationMetrics, 'perClass'>]], result[mean], mean);
      }
      const columns = {
        per_class_acc: 'acc',
        per_class_iou: 'iou',
        per_class_dice: 'dice',
        intersect: 'intersect',
        union: 'union',
        pred_area: 'predictedArea',
        label_area: 'labelArea',
      } as const;
      for (const [theirs, ours] of Object.entries(columns)) {
        expectSame(
          perClass.map((of) => of[ours]),
          result[theirs],
          theirs,
        );
      }
    },
  );

  it('gives the same counts map by map, merged, and at any offset in a buffer', () => {
    const maps = mapsOf('plain', cases['plain']!);
    const whole = evaluate(maps, { classes: 8 });
    const [first, ...rest] = maps;
    const merged = evaluate([first!], { classes: 8 });
    merged.merge(evaluate(rest, { classes: 8 }));
    expect(merged.confusion()).toEqual(whole.confusion());
    const shifted = (bytes: Uint8Array): Uint8Array => Uint8Array.of(9, ...bytes).subarray(1);
    const unaligned = maps.map(({ prediction, label }) => ({ prediction: shifted(prediction), label }));
    expect(evaluate(unaligned, { classes: 8 }).confusion()).toEqual(whole.confusion());
  });

  it('gives NaN for nothing', () => {
    const { mIoU, aAcc } = evaluate([], { classes: 3 }).metrics();
    expect([mIoU, aAcc]).toEqual([NaN, NaN]);
  });

  it.each<[string, number[], number[], boolean, string]>([
    ['a label of 3', [0, 1], [0, 3], false, 'b.png: expected labels from 0 to 2 or 255, received 3 at pixel 1'],
    ['a reduced label of 4', [0, 1], [4, 3], true, 'b.png: expected labels from 0 to 3 or 255, received 4 at pixel 0'],
    ['a prediction of 7', [0, 7], [0, 2], false, 'b.png: expected predictions from 0 to 2, received 7 at pixel 1'],
    ['another size', [0], [0, 2], false, 'b.png: expected 2 predicted pixels as labels, received 1'],
  ])('refuses %s and counts nothing of that map', (_, prediction, label, reduceZeroLabel, message) => {
    const evaluator = new SegmentationEvaluator({ classes: 3, reduceZeroLabel });
    evaluator.add(Uint8Array.of(0, 1), Uint8Array.of(1, 2));
    const before = evaluator.confusion();
    expect(() => evaluator.add(Uint8Array.from(prediction), Uint8Array.from(label), 'b.png')).toThrow(message);
    expect(evaluator.confusion()).toEqual(before);
  });

  it('refuses class counts that bytes cannot hold', () => {
    expect(() => new SegmentationEvaluator({ classes: 256 })).toThrow('expected 1 to 255 classes, received 256');
  });
});
