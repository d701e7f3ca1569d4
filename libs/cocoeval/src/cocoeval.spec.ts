import { COCO } from './dataset/coco';
import { COCOeval } from './cocoeval';
import { averageOf } from './report/summarize';
import {
  GOLDEN,
  goldenCases,
  goldenExists,
  hasData,
  loadCase,
  sha256,
  unpack,
  type PackedArray,
} from './testing/golden';

if (!goldenExists()) console.warn(`Only the cases of this package: no answers of pycocotools at ${GOLDEN}`);

function expectBits(actual: Float64Array, expected: PackedArray): void {
  if (sha256(actual) === expected.sha256) return;
  const wanted = unpack(expected);
  expect(actual.length).toBe(wanted.length);
  const at = wanted.findIndex((value, i) => !Object.is(value, actual[i]));
  throw new Error(`differs at ${at} of ${expected.shape}: expected ${wanted[at]}, received ${actual[at]}`);
}

/** Keypoint similarities contain exp, whose last bit numpy computes differently from processor to processor. */
function expectNear(actual: number[][], expected: number[][]): void {
  expect(actual.map((row) => row.length)).toEqual(expected.map((row) => row.length));
  expected.forEach((row, d) =>
    row.forEach((value, g) => expect(Math.abs(actual[d]![g]! - value)).toBeLessThanOrEqual(4 * 2 ** -52 * value)),
  );
}

/** Rows as pycocotools' answers list them: detections at the first threshold, first area range. */
function firstMatches(e: COCOeval, area: readonly [number, number]): number[][] {
  return e.params.imgIds.flatMap((image) =>
    (e.params.useCats ? e.params.catIds : [-1]).flatMap((category) => {
      const r = e.evaluateImg(image, category, area);
      const ids = r?.dtIds ?? [];
      return ids.map((id, d) => [image, category, id, r!.dtMatches[0]![d]!, r!.dtIgnore[0]![d] ? 1 : 0]);
    }),
  );
}

const sortRows = (rows: readonly (readonly number[])[]): string[] => rows.map((row) => row.join(' ')).sort();

describe('COCOeval, against pycocotools 2.0.11', () => {
  const cases = goldenCases();

  it('has cases', () => expect(cases.length).toBeGreaterThanOrEqual(16));

  for (const c of cases) {
    const test = hasData(c) ? it : it.skip;
    test(`${c.name}${hasData(c) ? '' : ' (ground truth absent)'}`, () => {
      const { expected, gt, dt } = loadCase(c);
      const coco = new COCO(gt);
      const e = new COCOeval(coco, coco.loadRes(dt), expected.iouType);
      Object.assign(e.params, expected.params);
      e.evaluate();
      e.accumulate();
      const accumulated = e.eval!;
      expect([...accumulated.counts]).toEqual(expected.counts);
      expectBits(accumulated.recall, expected.recall);
      expectBits(accumulated.precision, expected.precision);
      expectBits(accumulated.scores, expected.scores);

      if (expected.stats === null) {
        expect(() => e.summarize(() => undefined)).toThrow(/^summarize: (maxDets|areaRngLbl): expected/);
      } else {
        e.summarize(() => undefined);
        expect([...e.stats]).toEqual(expected.stats);
      }
      expected.apPerCategory?.forEach((ap, category) => {
        expect(averageOf('precision', accumulated, { category, area: 0, limit: expected.counts[4]! - 1 })).toBe(ap);
      });

      if (expected.evalImgs) expect(JSON.parse(JSON.stringify(e.evalImgs))).toEqual(expected.evalImgs);
      for (const { imageId, categoryId, iou } of [...(expected.ious ?? []), ...(expected.iouSamples ?? [])]) {
        const found = e.computeIoU(imageId, categoryId);
        if (expected.iouType === 'keypoints') expectNear(found, iou);
        else expect(found).toEqual(iou);
      }
      if (expected.matchesFirstIouFirstArea) {
        const rows = firstMatches(e, e.params.areaRng[0]!);
        expect(sortRows(rows)).toEqual(sortRows(expected.matchesFirstIouFirstArea));
      }
    });
  }
});
