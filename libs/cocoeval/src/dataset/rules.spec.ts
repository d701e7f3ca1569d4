import { CocoFormatError } from '../format/errors';
import type { CocoDataset } from '../format/types';
import { COCO } from './coco';

type Fields = Record<string, unknown>;

const triangle = [0, 0, 4, 0, 4, 4];
const sound = { id: 7, image_id: 3, category_id: 2, bbox: [0, 0, 4, 4], area: 8, iscrowd: 0, segmentation: [triangle] };

/** A dataset of one image of 10 x 20 pixels, one category and two annotations, with some fields changed. */
function dataset(annotation: Fields = {}, image: Fields = {}, category: Fields = {}): CocoDataset {
  const value = {
    images: [{ id: 3, width: 20, height: 10, file_name: 'a.jpg', ...image }],
    categories: [{ id: 2, name: 'cat', ...category }],
    annotations: [sound, { ...sound, id: 8, ...annotation }],
  };
  return JSON.parse(JSON.stringify(value)) as CocoDataset;
}

const open = (value: CocoDataset): COCO => new COCO(value, { name: 'val.json' });

describe('the records that training reads', () => {
  it('are typed and complete', () => {
    expect(open(dataset({ iscrowd: 1, area: undefined, segmentation: undefined })).checkedRecords()).toEqual({
      images: [{ id: 3, fileName: 'a.jpg', width: 20, height: 10 }],
      categories: [{ id: 2, name: 'cat' }],
      annotations: [
        { id: 7, imageId: 3, categoryId: 2, bbox: [0, 0, 4, 4], area: 8, crowd: false, segmentation: [triangle] },
        { id: 8, imageId: 3, categoryId: 2, bbox: [0, 0, 4, 4], area: undefined, crowd: true, segmentation: undefined },
      ],
    });
  });

  it.each([[undefined], [null], [[]]])('have no mask where the segmentation is %j', (segmentation) => {
    expect(open(dataset({ segmentation })).checkedRecords().annotations[1]!.segmentation).toBeUndefined();
  });

  it('leave out what covers nothing: parts of two points, and a coordinate without its pair', () => {
    const segmentation = [
      [...triangle, 9],
      [1, 1, 2, 2],
    ];
    expect(open(dataset({ segmentation })).checkedRecords().annotations[1]!.segmentation).toEqual([triangle]);
  });

  it.each([
    ['cat', 'cat'],
    [3, '3'],
    [null, '2'],
    [undefined, '2'],
    [true, 'true'],
    ['', ''],
  ])('a category that is called %j is called %j', (name, expected) => {
    expect(open(dataset({}, {}, { name })).checkedRecords().categories).toEqual([{ id: 2, name: expected }]);
  });
});

/** Changed fields of the second annotation, and what is said of them by training, prediction and evaluation alike. */
const OF_ANNOTATIONS: readonly [Fields, string][] = [
  [{ id: 7 }, 'annotations[1]: id: expected an id that no other annotation has, received 7'],
  [{ id: 'x' }, 'annotations[1]: id: expected an integer, received "x"'],
  [{ image_id: null }, 'annotations[1] (id 8): image_id: expected an integer, received null'],
  [{ category_id: 2.5 }, 'annotations[1] (id 8): category_id: expected an integer, received 2.5'],
  [{ iscrowd: '0' }, 'annotations[1] (id 8): iscrowd: expected 0 or 1, received "0"'],
  [{ iscrowd: 2 }, 'annotations[1] (id 8): iscrowd: expected 0 or 1, received 2'],
  [{ iscrowd: null }, 'annotations[1] (id 8): iscrowd: expected 0 or 1, received null'],
  [{ area: -1 }, 'annotations[1] (id 8): area: expected at least 0, received -1'],
  [{ area: '8' }, 'annotations[1] (id 8): area: expected a finite number, received "8"'],
];
const OF_BOXES: readonly [Fields, string][] = [
  [{ bbox: null }, 'annotations[1] (id 8): bbox: expected 4 finite numbers, received null'],
  [{ bbox: [0, 0, 4] }, 'annotations[1] (id 8): bbox: expected 4 finite numbers, received 3 values'],
  [{ bbox: [0, 0, '4', 4] }, 'annotations[1] (id 8): bbox: expected 4 finite numbers, received [0,0,"4",4]'],
  [
    { bbox: [0, 0, -4, 4] },
    'annotations[1] (id 8): bbox: expected a width and height of at least 0, received [0,0,-4,4]',
  ],
];
const OF_MASKS: readonly [Fields, string][] = [
  [{ segmentation: 5 }, 'annotations[1] (id 8): segmentation: expected polygons or a run-length mask, received 5'],
  [
    { segmentation: [[0, 0, 1, 1]] },
    'annotations[1] (id 8): segmentation[0]: expected a polygon of at least three points, received [0,0,1,1]',
  ],
  [
    { segmentation: [[0, 0, 1, 1, null, 2]] },
    'annotations[1] (id 8): segmentation[0]: expected a finite number, received null',
  ],
  [
    { segmentation: [[0, 0, 1, 1, 5e8, 2]] },
    'annotations[1] (id 8): segmentation[0]: expected coordinates within 429496727.6, received 500000000',
  ],
  [
    { segmentation: { size: [20, 10], counts: [200] } },
    'annotations[1] (id 8): segmentation.size: expected [10,20] as image 3 has, received [20,10]',
  ],
  [
    { segmentation: { size: ['10', 20], counts: [200] } },
    'annotations[1] (id 8): segmentation.size: expected [height, width] in whole pixels, received ["10",20]',
  ],
  [
    { segmentation: { size: [10, 20], counts: [199] } },
    'annotations[1] (id 8): segmentation.counts: expected runs that sum to 10 x 20 pixels, received 199',
  ],
  [
    { segmentation: { size: [10, 20], counts: [-1, 201] } },
    'annotations[1] (id 8): segmentation.counts: expected whole runs of at least 0, received -1',
  ],
  [
    { segmentation: { size: [10, 20], counts: 'P' } },
    'annotations[1] (id 8): segmentation.counts: expected a counts string that does not end inside a number, received "P"',
  ],
];

const messageOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(CocoFormatError);
    return (error as Error).message;
  }
  return 'no error';
};

describe('one set of rules', () => {
  it.each([...OF_ANNOTATIONS, ...OF_BOXES])('training and evaluation of boxes refuse %j', (fields, message) => {
    expect(messageOf(() => open(dataset(fields)).checkedRecords())).toBe(`val.json: ${message}`);
    expect(messageOf(() => open(dataset(fields)).requireEvaluable('bbox'))).toBe(`val.json: ${message}`);
  });

  it.each([...OF_ANNOTATIONS, ...OF_MASKS])('training and evaluation of masks refuse %j', (fields, message) => {
    expect(messageOf(() => open(dataset(fields)).checkedRecords())).toBe(`val.json: ${message}`);
    expect(messageOf(() => open(dataset(fields)).requireEvaluable('segm'))).toBe(`val.json: ${message}`);
  });

  it('asks for the size of images where it is needed', () => {
    const value = dataset({}, { width: '64' });
    const message = 'val.json: images[0] (id 3): width: expected whole pixels, received "64"';
    expect(messageOf(() => open(value).checkedRecords())).toBe(message);
    expect(messageOf(() => open(value).requireEvaluable('segm'))).toBe(message);
    expect(messageOf(() => open(value).requireEvaluable('bbox'))).toBe('no error');
  });

  it.each([
    [{ file_name: 7 }, 'images[0] (id 3): file_name: expected text, received 7'],
    [{ file_name: undefined }, 'images[0] (id 3): file_name: expected text, received nothing'],
    [{ height: 0 }, 'images[0] (id 3): height: expected whole pixels, received 0'],
    [{ width: 46341, height: 46341 }, 'images[0] (id 3): size: expected at most 2147483647 pixels'],
    [{ neg_category_ids: 5 }, 'images[0] (id 3): neg_category_ids: expected a list of category ids, received 5'],
    [{ not_exhaustive_category_ids: ['a'] }, 'not_exhaustive_category_ids: expected an integer, received "a"'],
  ])('training refuses an image with %j', (fields, message) => {
    expect(messageOf(() => open(dataset({}, fields)).checkedRecords())).toContain(message);
  });

  it('training refuses annotations of what the file does not list, which evaluation passes over as pycocotools does', () => {
    const stray = open(dataset({ image_id: 99 }));
    expect(messageOf(() => stray.checkedRecords())).toBe(
      'val.json: annotations[1] (id 8): image_id: expected the id of an image of this file, received 99',
    );
    expect(messageOf(() => stray.requireEvaluable('bbox'))).toBe('no error');
    expect(messageOf(() => open(dataset({ category_id: 9 })).checkedRecords())).toBe(
      'val.json: annotations[1] (id 8): category_id: expected the id of a category of this file, received 9',
    );
  });

  it('evaluation alone needs an area', () => {
    const value = open(dataset({ area: undefined }));
    expect(messageOf(() => value.checkedRecords())).toBe('no error');
    expect(messageOf(() => value.requireEvaluable('bbox'))).toBe(
      'val.json: annotations[1] (id 8): area: expected a finite number, received nothing',
    );
  });
});
