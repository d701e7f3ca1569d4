import fc from 'fast-check';
import { confusionMatrix, type CountedPair } from './confusion-matrix';
import { errorBreakdown, ERROR_KINDS } from './error-breakdown';
import { evaluateDetections } from '../evaluator';
import { samples } from '../testing/arbitrary';

const gt = {
  images: [{ id: 1, width: 100, height: 100 }],
  categories: [
    { id: 1, name: 'cat', supercategory: 'animal' },
    { id: 2, name: 'dog', supercategory: 'animal' },
    { id: 3, name: 'car', supercategory: 'vehicle' },
  ],
  annotations: [
    { id: 11, image_id: 1, category_id: 1, bbox: [0, 0, 20, 20], area: 400, iscrowd: 0 },
    { id: 12, image_id: 1, category_id: 1, bbox: [40, 0, 20, 20], area: 400, iscrowd: 0 },
    { id: 13, image_id: 1, category_id: 3, bbox: [0, 40, 20, 20], area: 400, iscrowd: 0 },
    { id: 14, image_id: 1, category_id: 2, bbox: [70, 70, 20, 20], area: 400, iscrowd: 0 },
    { id: 15, image_id: 1, category_id: 1, bbox: [80, 0, 20, 20], area: 400, iscrowd: 1 },
  ],
};

const result = (category_id: number, x: number, y: number, score: number) => ({
  image_id: 1,
  category_id,
  bbox: [x, y, 20, 20],
  score,
});

const dt = [
  result(1, 0, 0, 0.95), // match of 11
  result(1, 1, 0, 0.9), // duplicate of 11
  result(1, 50, 0, 0.85), // badly placed on 12: IoU 1/3
  result(2, 0, 0, 0.8), // a similar category for 11
  result(1, 0, 40, 0.75), // another category for 13
  result(3, 50, 0, 0.7), // wrong category and place for 12
  result(3, 40, 75, 0.65), // background
  result(1, 80, 0, 0.6), // in the crowd 15
];

describe('errorBreakdown', () => {
  const breakdown = errorBreakdown(gt, dt);

  it('says what is wrong with each detection', () => {
    const outcomes = Object.fromEntries(
      breakdown.images[0]!.detections.map(({ detection, outcome, annotationId }) => [
        detection,
        [outcome, annotationId],
      ]),
    );
    expect(outcomes).toEqual({
      0: ['match', 11],
      1: ['duplicate', 11],
      2: ['localization', 12],
      3: ['similarClass', 11],
      4: ['otherClass', 13],
      5: ['both', 12],
      6: ['background', undefined],
      7: ['ignored', 15],
    });
    expect(breakdown.images[0]).toMatchObject({ imageId: 1, missed: [14], objects: [11, 12, 13, 14] });
  });

  it('counts the errors', () => {
    const each = { localization: 1, similarClass: 1, otherClass: 1, duplicate: 1, background: 1, both: 1, missed: 1 };
    expect(breakdown.counts).toEqual(each);
  });

  it('knows what putting them right would gain', () => {
    // Cat: precision 1 up to recall 0.5 of two objects. Dog and car: none of one object each.
    expect(breakdown.AP).toBeCloseTo(51 / 101 / 3, 12);
    // Cat with the third detection right: hit, miss, hit.
    expect(breakdown.gains.localization).toBeCloseTo((51 + 50 * (2 / 3)) / 101 / 3 - breakdown.AP, 12);
    // The car is found; cat loses a false detection behind its only hit.
    expect(breakdown.gains.otherClass).toBeCloseTo(1 / 3, 12);
    expect(breakdown.gains.similarClass).toBeCloseTo(0, 12); // the cat is found anyway; the dog stays unfound
    // Without the missed dog, its category has nothing to find and leaves the mean.
    expect(breakdown.gains.missed).toBeCloseTo(51 / 101 / 2 - breakdown.AP, 12);
  });

  it('starts from the AP of evaluation, and loses nothing by putting errors right', () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const found = errorBreakdown(sample.gt, sample.dt);
        const areaRanges = { all: [0, Infinity] as const };
        const { accumulated, params } = evaluateDetections(sample.gt, sample.dt, { iouThresholds: [0.5], areaRanges });
        const last = params.maxDets.length - 1;
        const values = accumulated.precision.filter((_, i) => i % params.maxDets.length === last).filter((v) => v > -1);
        const AP = values.length === 0 ? -1 : values.reduce((sum, v) => sum + v, 0) / values.length;
        expect(found.AP).toBeCloseTo(AP, 12);
        for (const kind of ['duplicate', 'background', 'both'] as const)
          expect(found.gains[kind]).toBeGreaterThan(-1e-9);
        expect(found.falsePositives).toBeGreaterThan(-1e-9);
        const total = found.images.flatMap(({ detections }) => detections).length;
        const errors = ERROR_KINDS.filter((k) => k !== 'missed').reduce((sum, k) => sum + found.counts[k], 0);
        const fine = found.images.flatMap(({ detections }) =>
          detections.filter((d) => d.outcome === 'match' || d.outcome === 'ignored'),
        );
        expect(errors + fine.length).toBe(total);
      }),
      { numRuns: 50 },
    );
  });
});

describe('confusionMatrix', () => {
  it('pairs objects and detections without regard to category', () => {
    const { categoryIds, counts } = confusionMatrix(gt, dt, { minScore: 0.5 });
    expect(categoryIds).toEqual([1, 2, 3]);
    expect(counts).toEqual([
      [1, 0, 0, 1], // 11 as a cat; 12 not detected
      [0, 0, 0, 1], // 14 not detected
      [1, 0, 0, 0], // 13 as a cat
      [2, 1, 2, 0], // detections of nothing, and those of 11 that come too late
    ]);
  });

  it('tells every pair that it counts', () => {
    const pairs: CountedPair[] = [];
    const { counts } = confusionMatrix(gt, dt, { minScore: 0.5, onPair: (pair) => pairs.push(pair) });
    const told = counts.map((row) => row.map(() => 0));
    for (const { row, column } of pairs) told[row]![column]!++;
    expect(told).toEqual(counts);
    const own = [...gt.annotations].map(({ id, category_id }) => [id, category_id] as const);
    for (const { row, column, annotationId, detection, imageId } of pairs) {
      expect(annotationId === undefined).toBe(row === 3);
      expect(detection === undefined).toBe(column === 3);
      if (annotationId !== undefined) expect(own).toContainEqual([annotationId, row + 1]);
      if (detection !== undefined) expect(dt[detection]).toMatchObject({ category_id: column + 1, image_id: imageId });
    }
  });

  it('leaves out detections of low score', () => {
    expect(confusionMatrix(gt, dt, { minScore: 0.92 }).counts[3]).toEqual([0, 0, 0, 0]);
  });

  it('lists every object once', () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const { categoryIds, counts } = confusionMatrix(sample.gt, sample.dt);
        categoryIds.forEach((id, row) => {
          const objects = sample.gt.annotations.filter((a) => a.category_id === id && !a.iscrowd).length;
          expect(counts[row]!.reduce((sum, n) => sum + n, 0)).toBe(objects);
        });
      }),
    );
  });
});
