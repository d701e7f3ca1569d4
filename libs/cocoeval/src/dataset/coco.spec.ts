import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { COCO } from './coco';
import * as mask from '../mask/mask';
import { GOLDEN, readJson } from '../testing/golden';
import type { CocoDataset, Rle } from '../format/types';

const dataset = {
  info: { year: 2017 },
  images: [
    { id: 3, width: 20, height: 10 },
    { id: 1, width: 20, height: 10 },
  ],
  categories: [
    { id: 7, name: 'cat', supercategory: 'animal' },
    { id: 2, name: 'car', supercategory: 'vehicle' },
  ],
  annotations: [
    {
      id: 30,
      image_id: 3,
      category_id: 7,
      bbox: [0, 0, 4, 4],
      area: 16,
      iscrowd: 0,
      segmentation: [[0, 0, 4, 0, 4, 4, 0, 4]],
    },
    {
      id: 10,
      image_id: 1,
      category_id: 2,
      bbox: [0, 0, 5, 4],
      area: 20,
      iscrowd: 1,
      segmentation: { size: [10, 20] as const, counts: [0, 4, 6, 4, 186] },
    },
    {
      id: 20,
      image_id: 3,
      category_id: 2,
      bbox: [2, 2, 6, 5],
      area: 30,
      iscrowd: 0,
      segmentation: [[2, 2, 8, 2, 8, 7]],
    },
  ],
};

describe('COCO', () => {
  const coco = new COCO(dataset);

  it('finds records by id, image and category', () => {
    expect(coco.loadAnns([10, 30]).map(({ id }) => id)).toEqual([10, 30]);
    expect(coco.loadCats(2)).toEqual([dataset.categories[1]]);
    expect(coco.loadImgs(3)).toEqual([dataset.images[0]]);
    expect(coco.annotationsOf(3).map(({ id }) => id)).toEqual([30, 20]);
    expect(coco.annotationsOf(99)).toEqual([]);
    expect([coco.image(1)?.id, coco.annotation(20)?.id, coco.category(7)?.name]).toEqual([1, 20, 'cat']);
    expect([coco.image(99), coco.annotation(99), coco.category(99)]).toEqual([undefined, undefined, undefined]);
    expect(coco.imagesOf(2)).toEqual([1, 3]);
    expect(coco.info()).toEqual({ year: 2017 });
    expect(() => coco.loadAnns(5)).toThrow('no annotation has the id 5');
  });

  it('answers queries', () => {
    expect(coco.getAnnIds()).toEqual([30, 10, 20]);
    expect(coco.getAnnIds({ imgIds: [1, 3], catIds: 2 })).toEqual([10, 20]);
    expect(coco.getAnnIds({ areaRng: [16, 30] })).toEqual([10]);
    expect(coco.getAnnIds({ iscrowd: false })).toEqual([30, 20]);
    expect(coco.getCatIds({ catNms: 'car' })).toEqual([2]);
    expect(coco.getCatIds({ supNms: ['animal'] })).toEqual([7]);
    expect(coco.getImgIds({ catIds: [7, 2] })).toEqual([3]);
    expect(coco.getImgIds()).toEqual([3, 1]);
  });

  it('makes masks of annotations', () => {
    expect(coco.annToRLE(dataset.annotations[0]!)).toEqual(mask.fromPolygons([[0, 0, 4, 0, 4, 4, 0, 4]], 10, 20)[0]);
    expect(mask.area(coco.annToRLE(dataset.annotations[1]!))).toBe(8);
    expect(coco.annToMask(dataset.annotations[1]!).data.length).toBe(200);
    expect(() => coco.annToRLE({ id: 9, image_id: 1, category_id: 2 })).toThrow(
      'annotation 9: segmentation: expected polygons or a run-length mask, received nothing',
    );
  });

  it('completes results as pycocotools does', () => {
    const boxes = coco.loadRes([{ image_id: 1, category_id: 2, bbox: [1, 2, 3, 4], score: 0.5 }]);
    expect(boxes.annotations).toEqual([
      {
        image_id: 1,
        category_id: 2,
        bbox: [1, 2, 3, 4],
        score: 0.5,
        id: 1,
        iscrowd: 0,
        area: 12,
        segmentation: [[1, 2, 1, 6, 4, 6, 4, 2]],
      },
    ]);
    const segmentation = mask.fromBoxes([[1, 2, 3, 4]], 10, 20)[0]!;
    const masks = coco.loadRes(JSON.stringify([{ image_id: 1, category_id: 2, segmentation, score: 0.5 }]));
    expect(masks.annotations[0]).toMatchObject({ id: 1, area: 12, bbox: [1, 2, 3, 4], segmentation });
    const keypoints = [1, 2, 0, 5, 8, 2];
    const points = coco.loadRes([{ image_id: 1, category_id: 2, keypoints, score: 0.5 }]);
    expect(points.annotations[0]).toMatchObject({ area: 24, bbox: [1, 2, 4, 6] });
  });

  it('reads the text of a file', () => {
    expect(new COCO(JSON.stringify(dataset)).getAnnIds()).toEqual([30, 10, 20]);
    expect(() => new COCO('{')).toThrow('not valid JSON');
  });
});

const queries = join(GOLDEN, 'api_queries.json');
const annotations = resolve(GOLDEN, '../../data/coco/annotations/instances_val2017.json');
const real = existsSync(queries) && existsSync(annotations);
if (!real) console.warn(`Without the real annotations: no ${queries} or ${annotations}`);

(real ? describe : describe.skip)('COCO on real annotations, against pycocotools', () => {
  const coco = real ? new COCO(readJson<CocoDataset>('/', annotations)) : (undefined as never);

  it('answers all queries alike', () => {
    const { queries: all } = readJson<{
      queries: { fn: 'getAnnIds' | 'getCatIds' | 'getImgIds'; args: object; result: number[] }[];
    }>('/', queries);
    expect(all.length).toBeGreaterThan(15);
    for (const { fn, args, result } of all) {
      const found = coco[fn](args);
      if (fn === 'getImgIds') expect([...found].sort((a, b) => a - b)).toEqual([...result].sort((a, b) => a - b));
      else expect(found).toEqual(result);
    }
  });

  it('rasterises all annotations alike', () => {
    const { rle } = readJson<{ rle: Record<string, { counts: string; area: number; bbox: number[] }> }>(
      GOLDEN,
      'mask/real_val_annotations.json',
    );
    const ids = Object.keys(rle);
    expect(ids.length).toBe(1424);
    for (const id of ids) {
      const found: Rle = coco.annToRLE(coco.anns.get(Number(id))!);
      expect([found.counts, mask.area(found), mask.toBbox(found)]).toEqual([
        rle[id]!.counts,
        rle[id]!.area,
        rle[id]!.bbox,
      ]);
    }
  });
});
