import fc from 'fast-check';
import { COCO } from './dataset/coco';
import { evaluateDetections } from './evaluator';
import { CocoFormatError } from './format/errors';
import type { CocoDataset, CocoResult, IouType } from './format/types';
import { confusionMatrix } from './report/confusion-matrix';
import { errorBreakdown } from './report/error-breakdown';

/** Sound input of every kind, of which one value at a time is changed. */
const SIGMAS = [0.1, 0.1];

function groundTruth(): Record<string, unknown> {
  const triangle = [1, 1, 9, 1, 9, 9];
  const fields = { image_id: 3, area: 40, iscrowd: 0, keypoints: [1, 1, 2, 9, 9, 2], num_keypoints: 2 };
  return {
    info: { year: 2024 },
    images: [
      { id: 3, width: 20, height: 10, file_name: 'a.jpg', neg_category_ids: [2], not_exhaustive_category_ids: [] },
      { id: 4, width: 10, height: 20, file_name: 'b.jpg', neg_category_ids: [], not_exhaustive_category_ids: [1] },
    ],
    categories: [
      { id: 1, name: 'cat', supercategory: 'animal', frequency: 'r' },
      { id: 2, name: 'dog', supercategory: 'animal', frequency: 'f' },
    ],
    annotations: [
      { id: 10, category_id: 1, bbox: [1, 1, 8, 8], segmentation: [triangle], ...fields },
      { id: 11, category_id: 2, bbox: [0, 0, 5, 4], segmentation: { size: [10, 20], counts: [0, 40, 160] }, ...fields },
      { id: 12, category_id: 2, bbox: [1, 1, 8, 8], segmentation: [triangle], ...fields, image_id: 4, iscrowd: 1 },
    ],
  };
}

function results(): Record<string, unknown>[] {
  const fields = { bbox: [1, 1, 8, 8], segmentation: { size: [10, 20], counts: [0, 40, 160] } };
  const keypoints = [1, 1, 2, 9, 8, 2];
  return [
    { image_id: 3, category_id: 1, score: 0.9, ...fields, keypoints },
    { image_id: 3, category_id: 2, score: 0.5, ...fields, keypoints },
  ];
}

const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
};

/** Kinds of values that records were seen with, or could be attacked with. */
const HOSTILE: Readonly<Record<string, unknown>> = {
  missing: undefined,
  null: null,
  'a truth value': true,
  'an empty text': '',
  'a number as text': '1',
  'a long text': 'x'.repeat(100_000),
  zero: 0,
  negative: -1,
  fraction: 0.5,
  'not a number': NaN,
  infinite: Infinity,
  'beyond 53 bits': 2 ** 60,
  'beyond every double but one': Number.MAX_VALUE,
  'an empty list': [],
  'an empty object': {},
  'a list of nothing': [null],
  'a long list': new Array<number>(20_000).fill(1e6),
  'a nested list': [[[[]]]],
  'deeply nested': deep(400),
  'an object of many keys': Object.fromEntries(Array.from({ length: 4_000 }, (_, i) => [`k${i}`, i])),
  'another type of mask': { size: [46340, 46340], counts: [46340 * 46340] },
  'a mask of negative runs': { size: [10, 20], counts: [-40, 240] },
  'a mask of one huge run': { size: [10, 20], counts: [2 ** 31] },
  'a mask without end': { size: [10, 20], counts: 'o'.repeat(1000) },
  'a mask of empty runs': { size: [10, 20], counts: [...new Array<number>(10_000).fill(0), 200] },
  'a polygon far outside': [[-4e8, -4e8, 4e8, -4e8, 4e8, 4e8]],
  'a polygon beyond': [[0, 0, 1e300, 0, 0, 1e300]],
};

/** Every place of a value in it, as a path of keys; of a list of numbers the first one stands for all. */
function places(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const isNumbers = Array.isArray(value) && value.every((entry) => typeof entry === 'number');
  const inside = Object.entries(value)
    .slice(0, isNumbers ? 1 : undefined)
    .flatMap(([key, entry]) => places(entry, [...path, key]));
  return path.length === 0 ? inside : [path, ...inside];
}

function changed<T>(value: T, path: readonly string[], to: unknown): T {
  const copy = structuredClone(value);
  let at = copy as Record<string, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[path.at(-1) as string] = to;
  return copy;
}

interface Uses {
  readonly gt: unknown;
  readonly dt: unknown;
}

/** Everything that reads a dataset and results. */
const USES: Readonly<Record<string, (uses: Uses) => unknown>> = {
  ...Object.fromEntries(
    (['bbox', 'segm', 'keypoints'] as IouType[]).map((iouType) => [
      iouType,
      ({ gt, dt }: Uses) => {
        const options = { iouType, keypointSigmas: SIGMAS };
        const found = evaluateDetections(gt as CocoDataset, dt as CocoResult[], options);
        return [found.text, found.perCategoryText(), JSON.stringify(found)];
      },
    ]),
  ),
  federated: ({ gt, dt }) => evaluateDetections(gt as CocoDataset, dt as CocoResult[], { federated: true }).text,
  errors: ({ gt, dt }) => errorBreakdown(gt as CocoDataset, dt as CocoResult[]).AP,
  confusion: ({ gt, dt }) => confusionMatrix(gt as CocoDataset, dt as CocoResult[], { iouType: 'segm' }).counts,
  training: ({ gt }) => new COCO(gt as CocoDataset, { name: 'train.json' }).checkedRecords(),
  queries: ({ gt, dt }) => {
    const coco = new COCO(gt as CocoDataset);
    coco.getAnnIds({ catIds: 1, areaRng: [0, 100] });
    coco.annotations.forEach((annotation) => coco.annToRLE(annotation));
    return coco.loadRes(dt as CocoResult[]).annotations;
  },
};

/** One clear line, or none. */
function messageOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof CocoFormatError) return error.message;
    throw new Error(`not in the words of the format: ${String(error)}`, { cause: error });
  }
  return undefined;
}

function expectLine(message: string | undefined): void {
  if (message === undefined) return;
  expect(message).toMatch(/^[^\n]{1,400}$/);
  expect(message).toMatch(/expected .*(, received .+|before it)$|^no |not valid JSON at byte/);
}

describe('hostile input', () => {
  it('is sound to begin with', () => {
    for (const use of Object.values(USES))
      expect(messageOf(() => use({ gt: groundTruth(), dt: results() }))).toBeUndefined();
  });

  const kinds = Object.entries(HOSTILE);

  it.each(kinds)('%s in any place of a dataset gives numbers or one line', (_, value) => {
    for (const path of places(groundTruth())) {
      const gt = changed(groundTruth(), path, value);
      for (const use of Object.values(USES)) expectLine(messageOf(() => use({ gt, dt: results() })));
    }
  });

  it.each(kinds)('%s in any place of results gives numbers or one line', (_, value) => {
    for (const path of places(results())) {
      const dt = changed(results(), path, value);
      for (const [name, use] of Object.entries(USES)) {
        if (name !== 'training') expectLine(messageOf(() => use({ gt: groundTruth(), dt })));
      }
    }
  });

  it('names the record of a mask of two gigapixels on a small image at once', () => {
    const size = [46340, 46340];
    const segmentation = { size, counts: [46340 * 46340] };
    const gt = changed(groundTruth(), ['annotations', '1', 'segmentation'], segmentation);
    const start = performance.now();
    const said = 'annotations[1] (id 11): segmentation.size: expected [10,20] as image 3 has, received [46340,46340]';
    expect(messageOf(() => USES['segm']!({ gt, dt: results() }))).toBe(said);
    expect(messageOf(() => USES['training']!({ gt, dt: [] }))).toBe(`train.json: ${said}`);
    const dt = changed(results(), ['1', 'segmentation'], segmentation);
    expect(messageOf(() => USES['segm']!({ gt: groundTruth(), dt }))).toContain(
      'results[1] (image_id 3): segmentation.size',
    );
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('refuses outlines that would take gigabytes to draw', () => {
    const zigzag = Array.from({ length: 40_000 }, (_, i) => (i % 2 === 0 ? (i % 4 === 0 ? 0 : 1e6) : i % 10));
    const wide = changed(groundTruth(), ['images', '0', 'width'], 1_000_000);
    const gt = changed(wide, ['annotations', '0', 'segmentation'], [zigzag]);
    const said = 'annotations[0] (id 10): segmentation: expected outlines that cross at most 67108864 pixel columns';
    expect(messageOf(() => USES['training']!({ gt, dt: [] }))).toContain(said);
    const masks = changed(gt, ['annotations', '1', 'segmentation'], [[0, 0, 5, 0, 5, 5]]);
    expect(messageOf(() => USES['segm']!({ gt: masks, dt: [] }))).toContain(said);
  });

  it('that was cut or changed as text gives numbers or one line', () => {
    const texts = { gt: JSON.stringify(groundTruth()), dt: JSON.stringify(results()) };
    const bytes = [
      '',
      '"',
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '\\',
      '\0',
      '-',
      'e',
      '9999999999999999999',
      'NaN',
      'Ã©',
      '\ud800',
      '\ufeff',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom<'gt' | 'dt'>('gt', 'dt'),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom(...bytes),
        fc.constantFrom(0, 1, 5, 1e9),
        fc.constantFrom(...Object.keys(USES)),
        (side, place, insert, removed, use) => {
          const text = texts[side];
          const at = Math.floor(place * text.length);
          const mutated = text.slice(0, at) + insert + text.slice(at + removed);
          expectLine(messageOf(() => USES[use]!({ ...texts, [side]: mutated })));
        },
      ),
      { numRuns: 800 },
    );
  });
});
