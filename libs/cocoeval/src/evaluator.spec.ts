import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COCO } from './dataset/coco';
import { COCOeval } from './cocoeval';
import { CocoFormatError } from './format/errors';
import type { CocoReport } from './report/coco-report';
import { evaluateDetections, Evaluator } from './evaluator';
import { samples, type Sample } from './testing/arbitrary';
import { goldenCases, loadCase, sha256 } from './testing/golden';
import type { CocoDataset, CocoResult, IouType } from './format/types';

const tiny = loadCase(goldenCases().find(({ name }) => name === 'tiny_bbox')!);

const iouTypes = fc.constantFrom<IouType>('bbox', 'segm');

function expectSame(a: CocoReport['accumulated'], b: CocoReport['accumulated']): void {
  expect(a.counts).toEqual(b.counts);
  for (const name of ['precision', 'recall', 'scores'] as const) expect(sha256(a[name])).toBe(sha256(b[name]));
}

/** Sorts by a random key, keeping the order within an image. */
function shuffleImages<T extends { image_id: number }>(records: readonly T[], keys: ReadonlyMap<number, number>): T[] {
  return [...records].sort((a, b) => (keys.get(a.image_id) ?? 0) - (keys.get(b.image_id) ?? 0));
}

describe('evaluateDetections', () => {
  it('gives the hand-computed AP of two objects, one of them found', () => {
    const gt = {
      images: [{ id: 1, width: 50, height: 50 }],
      categories: [{ id: 1, name: 'a' }],
      annotations: [
        { id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 10, 10], area: 100, iscrowd: 0 },
        { id: 2, image_id: 1, category_id: 1, bbox: [30, 30, 10, 10], area: 100, iscrowd: 0 },
      ],
    };
    const dt = [{ image_id: 1, category_id: 1, bbox: [0, 0, 10, 10], score: 0.5 }];
    const evaluation = evaluateDetections(gt, dt);
    expect(evaluation.metrics['AP']).toBeCloseTo(51 / 101, 12); // precision 1 at recalls 0, 0.01, ..., 0.5
    expect(evaluation.metrics).toMatchObject({ AR1: 0.5, AR100: 0.5, APlarge: -1 });
    expect(evaluation.perCategory()).toMatchObject([{ id: 1, name: 'a', AR: 0.5 }]);
    const { recall, precision, score } = evaluation.curve({ categoryId: 1, iou: 0.75 });
    expect([recall[50], precision[50], score[50]]).toEqual([0.5, 1 - 2 ** -52, 0.5]);
    expect([recall[51], precision[51], score[51]]).toEqual([0.51, 0, 0]);
  });

  it('gives the official table', () => {
    const { expected, gt, dt } = tiny;
    const { text, stats } = evaluateDetections(gt, dt);
    expect([...stats]).toEqual(expected.stats);
    expect(text.split('\n')).toHaveLength(12);
    expect(text).toContain(' Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.679\n');
    expect(text).toContain(' Average Precision  (AP) @[ IoU=0.75      | area=   all | maxDets=100 ] = 0.746\n');
    expect(text).toContain(' Average Recall     (AR) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = 0.950\n');
  });

  it('agrees with COCOeval', () => {
    fc.assert(
      fc.property(samples, iouTypes, fc.boolean(), ({ gt, dt }, iouType, useCategories) => {
        const coco = new COCO(gt);
        const e = new COCOeval(coco, coco.loadRes(dt), iouType);
        e.params.useCats = useCategories;
        e.evaluate();
        e.accumulate();
        expectSame(evaluateDetections(JSON.stringify(gt), dt, { iouType, useCategories }).accumulated, e.eval!);
      }),
      { numRuns: 50 },
    );
  });

  it('does not depend on the order of images, categories, annotations of different images and results of different images', () => {
    const keys = fc.array(fc.double({ noNaN: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(samples, iouTypes, keys, keys, ({ gt, dt }: Sample, iouType, a, b) => {
        const order = (values: number[]) => new Map(gt.images.map(({ id }, i) => [id, values[i] as number]));
        const shuffled = {
          images: [...gt.images].reverse(),
          categories: [...gt.categories].reverse(),
          annotations: shuffleImages(gt.annotations, order(a)),
        };
        const other = evaluateDetections(shuffled, shuffleImages(dt, order(b)), { iouType });
        expectSame(other.accumulated, evaluateDetections(gt, dt, { iouType }).accumulated);
      }),
      { numRuns: 50 },
    );
  });

  it('does not depend on the order of results whose scores differ', () => {
    fc.assert(
      fc.property(samples, ({ gt, dt }) => {
        const distinct = dt.map((result, i) => ({ ...result, score: result.score + i / 1000 }));
        const reversed = evaluateDetections(gt, [...distinct].reverse());
        expectSame(reversed.accumulated, evaluateDetections(gt, distinct).accumulated);
      }),
      { numRuns: 50 },
    );
  });

  it('takes more than 32 thresholds', () => {
    fc.assert(
      fc.property(samples, ({ gt, dt }) => {
        const iouThresholds = Array.from({ length: 70 }, (_, i) => 0.3 + i / 100);
        const all = evaluateDetections(gt, dt, { iouThresholds }).accumulated;
        const cell = all.recall.length / 70;
        for (const t of [0, 31, 32, 63, 64, 69]) {
          const one = evaluateDetections(gt, dt, { iouThresholds: [iouThresholds[t] as number] }).accumulated;
          expect(all.recall.slice(t * cell, (t + 1) * cell)).toEqual(one.recall);
        }
      }),
      { numRuns: 15 },
    );
  });

  it('takes the options under their own names', () => {
    const { gt, dt } = tiny;
    const { params, text } = evaluateDetections(gt, dt, {
      imageIds: [7, 3, 7],
      categoryIds: [4, 1],
      maxDetections: [100, 1, 10],
      areaRanges: { all: [0, 1e10], tiny: [0, 100] },
      iouThresholds: [0.5, 0.75],
      recallThresholds: [0, 0.5, 1],
    });
    expect(params).toMatchObject({
      imgIds: [3, 7],
      catIds: [1, 4],
      maxDets: [1, 10, 100],
      areaRngLbl: ['all', 'tiny'],
    });
    expect(text).toContain('IoU=0.50:0.75 | area=   all');
  });

  it('names what a curve may be asked for', () => {
    const { gt, dt } = tiny;
    expect(() => evaluateDetections(gt, dt).curve({ iou: 0.42 })).toThrow('curve: iou: expected one of [0.5,0.55');
    expect(evaluateDetections(gt, dt).curve().precision).toHaveLength(101);
  });
});

describe('Evaluator', () => {
  it('gives the same to the last bit, whatever the order of images', () => {
    fc.assert(
      fc.property(samples, iouTypes, fc.shuffledSubarray([12, 5, 30]), ({ gt, dt }, iouType, order) => {
        const evaluator = new Evaluator(gt, { iouType });
        for (const id of order)
          evaluator.add(
            id,
            dt.filter(({ image_id }) => image_id === id),
          );
        const added = dt.filter(({ image_id }) => order.includes(image_id));
        expectSame(evaluator.result().accumulated, evaluateDetections(gt, added, { iouType }).accumulated);
        const some = evaluator.result({ addedOnly: true }).accumulated;
        expectSame(some, evaluateDetections(gt, added, { iouType, imageIds: order }).accumulated);
      }),
      { numRuns: 50 },
    );
  });

  it('goes on after a look at the result, and needs no image_id', () => {
    const { gt, dt, expected } = tiny;
    const evaluator = new Evaluator(gt);
    for (const { id } of gt.images) {
      const own = dt.filter(({ image_id }) => image_id === id);
      evaluator.add(
        id,
        own.map(({ category_id, bbox, score }) => ({ category_id, bbox: bbox!, score })),
      );
      evaluator.result();
    }
    expect([...evaluator.result().stats]).toEqual(expected.stats);
  });

  it('refuses unknown images, repeated ones, and detections of other images', () => {
    const evaluator = new Evaluator(tiny.gt);
    evaluator.add(7, []);
    expect(() => evaluator.add(8, [])).toThrow('add: expected the id of an image of the ground truth, received 8');
    expect(() => evaluator.add(7, [])).toThrow('add: expected each image once, received 7 again');
    const stray = { image_id: 5, category_id: 1, bbox: [0, 0, 1, 1], score: 1 };
    expect(() => evaluator.add(3, [stray])).toThrow('add: expected detections of image 3, received one of 5');
    const broken = [{ category_id: 1, bbox: [0, 0, NaN, 1], score: 1 }];
    expect(() => evaluator.add(3, broken)).toThrow(CocoFormatError);
    expect(() => evaluator.add(3, broken)).toThrow('detections of image 3[0]: bbox: expected 4 finite numbers');
  });
});

describe('federated evaluation', () => {
  const box = [0, 0, 10, 10];
  const away = [20, 20, 10, 10];
  const image = { id: 1, width: 50, height: 50, neg_category_ids: [2], not_exhaustive_category_ids: [1] };
  const gt = {
    images: [image, { ...image, id: 2, neg_category_ids: [], not_exhaustive_category_ids: [] }],
    categories: [
      { id: 1, name: 'a', frequency: 'r' as const },
      { id: 2, name: 'b', frequency: 'f' as const },
    ],
    annotations: [
      { id: 1, image_id: 1, category_id: 1, bbox: box, area: 100 },
      { id: 2, image_id: 2, category_id: 2, bbox: box, area: 100 },
    ],
  };
  const result = (image_id: number, category_id: number, bbox: number[], score: number) => ({
    image_id,
    category_id,
    bbox,
    score,
  });
  const evaluate = (dt: ReturnType<typeof result>[]) => evaluateDetections(gt, dt, { federated: true }).metrics;

  it('gives the numbers of lvis-api 0.5.3 to the last bit', () => {
    const lvis = JSON.parse(readFileSync(join(__dirname, '../fixtures/lvis.json'), 'utf8')) as {
      gt: CocoDataset;
      dt: CocoResult[];
      stats: number[];
      precisionSha256: string;
      recallSha256: string;
    };
    const { accumulated, stats, text } = evaluateDetections(lvis.gt, lvis.dt, { federated: true });
    expect([...stats]).toEqual(lvis.stats);
    expect(sha256(accumulated.precision)).toBe(lvis.precisionSha256);
    expect(sha256(accumulated.recall)).toBe(lvis.recallSha256);
    expect(text).toContain(' (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=300 catIds=  r] = ');
    expect(text).toContain(' (AR) @[ IoU=0.50:0.95 | area=     s | maxDets=300 catIds=all] = ');
  });

  it('spares unmatched detections where not all objects are annotated', () => {
    const metrics = evaluate([result(1, 1, away, 0.9), result(1, 1, box, 0.8), result(2, 2, box, 0.9)]);
    expect(metrics['APrare']).toBeCloseTo(1, 12);
  });

  it('counts detections of categories that are known to be absent', () => {
    const metrics = evaluate([result(1, 2, away, 0.9), result(2, 2, box, 0.8)]);
    expect(metrics['APfrequent']).toBeCloseTo(0.5, 12);
  });

  it('passes over categories of which an image says nothing', () => {
    const metrics = evaluate([result(2, 1, away, 0.9), result(1, 1, box, 0.8)]);
    expect(metrics['APrare']).toBeCloseTo(1, 12);
  });

  it('limits detections of an image, not of a category', () => {
    const many = Array.from({ length: 300 }, () => result(1, 2, away, 0.9));
    expect(evaluate([...many, result(1, 1, box, 0.8)])).toMatchObject({ APrare: 0, APcommon: -1 });
  });
});
