/** WebAssembly and TypeScript give the same bits, whatever is evaluated. */
import fc from 'fast-check';
import { goldenCases, hasData, loadCase } from '../testing/golden';
import type { CocoDataset, CocoResult, IouType } from '../format/types';
import { compare } from '../evaluator';
import { accumulate, type Accumulated } from './accumulate';
import { compareByKernels } from './kernel-comparison';
import { accumulateByKernels, evaluateByKernels } from './kernel-curves';
import { toDetections, toGroundTruth, toParams, type EvaluationOptions } from './options';

const HEIGHT = 13;
const WIDTH = 11;
const IMAGES = [5, 2, 9];

/** Runs that fill the image, some of them empty. */
const runs = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 12 }).map((lengths) => {
  const counts: number[] = [];
  let left = HEIGHT * WIDTH;
  for (const length of lengths) {
    counts.push(Math.min(length, left));
    left -= counts.at(-1)!;
  }
  return { size: [HEIGHT, WIDTH], counts: [...counts, left] } as const;
});

const coordinate = fc.oneof(
  fc.double({ min: -3, max: 16, noNaN: true }),
  fc.integer({ min: -1, max: 14 }),
  fc.integer({ min: 0, max: 28 }).map((n) => n / 2),
);
const polygon = fc.array(coordinate, { minLength: 6, maxLength: 13 });
const segmentation = fc.oneof(runs, fc.array(polygon, { minLength: 1, maxLength: 3 }));
const side = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.double({ min: 0, max: 9, noNaN: true }));
const box = fc.tuple(side, side, side, side);
const common = {
  image_id: fc.constantFrom(...IMAGES),
  category_id: fc.constantFrom(4, 4, 1, 8),
  bbox: box,
  segmentation,
};
const object = fc.record({ ...common, area: fc.integer({ min: 0, max: 90 }), iscrowd: fc.constantFrom(0, 0, 0, 1) });
const result = fc.record({
  ...common,
  score: fc.oneof(fc.integer({ min: -2, max: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
});

const options = fc.record({
  iouType: fc.constantFrom<IouType>('bbox', 'segm'),
  iouThresholds: fc.constantFrom(
    undefined,
    [0.5],
    [0, 0.3, 1],
    Array.from({ length: 32 }, (_, t) => t / 32),
  ),
  recallThresholds: fc.constantFrom(undefined, [0, 0.5, 1], [0.9, 0.1, -1]),
  maxDetections: fc.constantFrom(undefined, [1, 3, 200], [0], [2]),
  areaRanges: fc.constantFrom(undefined, { all: [0, 1e5], some: [10, 40], none: [50, 40] } as const),
  imageIds: fc.constantFrom(undefined, [9, 2], [2, 77]),
  categoryIds: fc.constantFrom(undefined, [8, 4]),
});

const defined = (values: object): EvaluationOptions =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

/** Compares in WebAssembly and in TypeScript, which is what so few detections get, and what kernels decline. */
function expectSame(gt: CocoDataset, dt: readonly CocoResult[], options: EvaluationOptions): void {
  const truth = toGroundTruth(gt, options);
  const params = toParams(options, truth);
  const detections = toDetections(dt, truth, options);
  const expected = compare(truth, detections, params, params.imgIds);
  const store = compareByKernels(truth, detections, params, params.imgIds);
  if (store === undefined) {
    expect(options.iouType === 'keypoints' || options.federated || options.useCategories === false).toBe(true);
    return;
  }
  const curves = accumulate(expected, params);
  expectBits(accumulate(store, params), curves);
  const found = accumulateByKernels(store, params, curves.counts);
  const together = evaluateByKernels(truth, detections, params, curves.counts);
  expect([found?.counts, together !== undefined]).toEqual([curves.counts, params.iouType === 'bbox']);
  expectBits(found!, curves);
  if (together) expectBits(together, curves);
}

function expectBits(ours: Accumulated, theirs: Accumulated): void {
  const bytesOf = ({ buffer, byteOffset, byteLength }: Float64Array): Buffer =>
    Buffer.from(buffer, byteOffset, byteLength);
  for (const name of ['precision', 'recall', 'scores'] as const) {
    expect([name, bytesOf(ours[name]).equals(bytesOf(theirs[name]))]).toEqual([name, true]);
  }
}

describe('the kernels', () => {
  it('evaluate as TypeScript does', () => {
    const objects = fc.array(object, { maxLength: 12 });
    const results = fc.oneof(fc.array(result, { maxLength: 20 }), fc.array(result, { minLength: 100, maxLength: 160 }));
    fc.assert(
      fc.property(objects, results, options, fc.integer({ min: 0, max: 1 }), (annotations, dt, chosen, firstId) => {
        const gt: CocoDataset = {
          images: IMAGES.map((id) => ({ id, height: HEIGHT, width: WIDTH })),
          categories: [1, 8, 4].map((id) => ({ id })),
          annotations: annotations.map((annotation, i) => ({ ...annotation, id: i + firstId })),
        };
        expectSame(gt, dt as CocoResult[], defined(chosen));
      }),
      { numRuns: 150 },
    );
  });

  it('evaluate as TypeScript does: many images in any order, with equal scores', () => {
    const images = Array.from({ length: 700 }, (_, i) => ({ id: (i * 331) % 701, height: HEIGHT, width: WIDTH }));
    const at = (i: number, step: number, count: number): number => (i * step + (i >> 3)) % count;
    const boxed = (i: number) => ({
      image_id: images[at(i, 37, 700)]!.id,
      category_id: [1, 8, 4, 77][at(i, 5, 4)]!,
      bbox: [at(i, 3, 4), at(i, 7, 3), 5 + at(i, 11, 3), 6] as const,
    });
    const gt: CocoDataset = {
      images,
      categories: [1, 8, 4].map((id) => ({ id })),
      annotations: Array.from({ length: 1500 }, (_, i) => ({
        ...boxed(i),
        id: i + 1,
        area: 30,
        iscrowd: i % 50 ? 0 : 1,
      })),
    };
    const dt = Array.from({ length: 4000 }, (_, i) => ({ ...boxed(i + 9), score: at(i, 13, 10) / 10 }));
    expectSame(gt, dt, { maxDetections: [1, 2, 4] });
    expectSame(
      gt,
      [...dt].sort((a, b) => a.image_id - b.image_id),
      {},
    );
  });

  it.each(goldenCases().filter((each) => each.name.startsWith('tiny') && hasData(each)))(
    'evaluate as TypeScript does: $name',
    (golden) => {
      const { gt, dt, expected } = loadCase(golden);
      expectSame(gt, dt, { iouType: expected.iouType });
    },
  );
});
