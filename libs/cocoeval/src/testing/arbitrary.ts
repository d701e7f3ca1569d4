/** Small random datasets for property tests. */
import fc from 'fast-check';
import type { CocoDataset, CocoResult } from '../format/types';

/** Small datasets with results on a coarse grid, so that equal overlaps and scores are frequent. */
export interface Sample {
  readonly gt: CocoDataset & { readonly annotations: NonNullable<CocoDataset['annotations']> };
  readonly dt: CocoResult[];
}

const SIDE = 40;

const box = fc
  .tuple(
    fc.integer({ min: 0, max: 6 }),
    fc.integer({ min: 0, max: 6 }),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 4 }),
  )
  .map(([x, y, w, h]) => [5 * x, 5 * y, 5 * w, 5 * h]);

const outline = ([x, y, w, h]: number[]) => [[x!, y!, x! + w!, y!, x! + w!, y! + h!, x!, y! + h!]];

const IMAGES = [12, 5, 30];
const CATEGORIES = [3, 1, 2];

const object = fc.record({
  image_id: fc.constantFrom(...IMAGES),
  category_id: fc.constantFrom(...CATEGORIES),
  bbox: box,
  iscrowd: fc.constantFrom(0, 0, 0, 1),
});

const result = fc.record({
  image_id: fc.constantFrom(...IMAGES),
  category_id: fc.constantFrom(...CATEGORIES),
  bbox: box,
  score: fc.integer({ min: 0, max: 8 }).map((n) => n / 8),
});

export const samples: fc.Arbitrary<Sample> = fc
  .tuple(fc.array(object, { maxLength: 14 }), fc.array(result, { maxLength: 24 }))
  .map(([objects, dt]) => ({
    gt: {
      images: IMAGES.map((id) => ({ id, width: SIDE, height: SIDE })),
      categories: CATEGORIES.map((id) => ({ id, name: `c${id}`, supercategory: id === 3 ? 'b' : 'a' })),
      annotations: objects.map((o, i) => ({
        ...o,
        id: i + 1,
        area: o.bbox[2]! * o.bbox[3]! * 4,
        segmentation: outline(o.bbox),
      })),
    },
    dt,
  }));
