import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COCO } from './coco';
import { COCOeval } from '../cocoeval';
import { CocoFormatError } from '../format/errors';
import { evaluateDetections } from '../evaluator';
import * as mask from '../mask/mask';
import type { CocoDataset, CocoResult, IouType, Rle } from '../format/types';

interface Malformed {
  readonly kind: 'eval' | 'mask';
  readonly name: string;
  readonly port: string;
  readonly pycocotools: { readonly stats?: number[]; readonly value?: unknown };
  readonly gt?: unknown;
  readonly dt?: unknown;
  readonly iouType?: string;
  readonly params?: Record<string, unknown>;
  readonly steps?: string[];
  readonly call?: string;
  readonly args?: unknown;
}

const NUMBERS: Record<string, number> = { NaN, Infinity, '-Infinity': -Infinity };

const text = readFileSync(join(__dirname, '../../fixtures/malformed.json'), 'utf8');
const { cases } = JSON.parse(text, (_, value) => (typeof value === 'string' ? (NUMBERS[value] ?? value) : value)) as {
  cases: Malformed[];
};

function run(c: Malformed): number[] {
  const coco = new COCO(c.gt as CocoDataset);
  const e = new COCOeval(coco, coco.loadRes(c.dt as CocoResult[]), c.iouType as IouType);
  Object.assign(e.params, c.params);
  for (const step of c.steps ?? ['evaluate', 'accumulate', 'summarize']) {
    if (step === 'evaluate') e.evaluate();
    else if (step === 'accumulate') e.accumulate();
    else e.summarize(() => undefined);
  }
  return [...e.stats];
}

/** Names of cases and the words that must stand in the error. */
const ERRORS: Record<string, string> = {
  'result for an unknown image': 'results[1] (image_id 99): image_id: expected the id of an image',
  'image_id as a string':
    'results[1] (image_id "1"): image_id: expected the id of an image of the ground truth, received "1"',
  'results not a list': 'results: expected a list of results, received {',
  'result without score': 'score: expected a finite number, received nothing',
  'result without category_id': 'category_id: expected an integer, received nothing',
  'result without image_id': 'image_id: expected the id of an image of the ground truth, received nothing',
  'second result without bbox': 'results[1] (image_id 1): bbox: expected 4 finite numbers, received nothing',
  'bbox of three numbers': 'bbox: expected 4 finite numbers, received 3 values',
  'bbox with NaN x': 'bbox: expected 4 finite numbers',
  'bbox with NaN width': 'bbox: expected 4 finite numbers',
  'bbox with all NaN': 'bbox: expected 4 finite numbers',
  'bbox with infinite width': 'bbox: expected 4 finite numbers',
  'score NaN': 'score: expected a finite number, received NaN',
  'score as a string': 'score: expected a finite number, received "0.9"',
  'score null': 'score: expected a finite number, received null',
  'ground truth without area': 'annotations[0] (id 11): area: expected a finite number, received nothing',
  'ground truth without bbox': 'annotations[0] (id 11): bbox: expected 4 finite numbers, received nothing',
  'ground truth without segmentation, segm':
    'annotations[0] (id 11): segmentation: expected polygons or a run-length mask',
  'ground truth segmentation is an empty list, segm':
    'annotations[0] (id 11): segmentation: expected at least one polygon',
  'ground truth polygon of two points, segm': 'segmentation[0]: expected a polygon of at least three points',
  'duplicate ground truth annotation ids': 'id: expected an id that no other annotation has, received 11',
  'duplicate image ids': 'id: expected an id that no other image has',
  'duplicate category ids': 'id: expected an id that no other category has',
  'ground truth file is a list': 'dataset: expected an object, received [',
  'no images key': 'dataset: images: expected a list, received nothing',
  'no categories key': 'dataset: categories: expected a list, received nothing',
  'no images': 'results[0] (image_id 1): image_id: expected the id of an image',
  'unknown iouType': "iouType: expected 'bbox', 'segm' or 'keypoints', received \"boundary\"",
  'accumulate before evaluate': 'accumulate: expected evaluate() before it',
  'summarize before accumulate': 'summarize: expected accumulate() before it',
  'segm result of another size than the image': 'segmentation.size: expected [80,100] as image 1 has',
  'segm result without counts': 'counts: expected a string or a list of runs, received nothing',
  'keypoints result with 16 points':
    'results[0] (image_id 1): keypoints: expected 51 finite numbers, received 48 values',
  'keypoints ground truth with 16 points':
    'annotations[0] (id 1): keypoints: expected 51 finite numbers, received 48 values',
  'keypoints ground truth without num_keypoints': 'num_keypoints: expected a finite number, received nothing',
  'keypoints with own sigmas of the wrong number': 'keypoints: expected 15 finite numbers, received 51 values',
};

describe('malformed input', () => {
  const evals = cases.filter((c) => c.kind === 'eval');
  const masks = cases.filter((c) => c.kind === 'mask');

  it('comes in 93 cases', () => expect(cases).toHaveLength(93));

  it.each(Object.entries(ERRORS))('%s is an error that names the record', (name, message) => {
    const c = evals.find((entry) => entry.name === name)!;
    expect(c.port).toMatch(/error/);
    expect(() => run(c)).toThrow(CocoFormatError);
    expect(() => run(c)).toThrow(message);
  });

  it.each(
    evals
      .filter((c) => !(c.name in ERRORS) && c.pycocotools.stats && c.name !== 'useCats 0, evaluated a second time')
      .map((c) => [c.name, c] as const),
  )('%s gives the stats of pycocotools', (_, c) => {
    expect(c.port).not.toMatch(/^error that names/);
    expect(run(c)).toEqual(c.pycocotools.stats);
  });

  it('no results at all count as images without detections', () => {
    const c = evals.find((entry) => entry.name === 'no results at all')!;
    expect(run(c)).toEqual([0, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, -1]);
  });

  it('with useCats 0 a second evaluation gives the same stats', () => {
    const c = evals.find((entry) => entry.name === 'useCats 0, evaluated a second time')!;
    const once = evals.find((entry) => entry.name === 'useCats 0, accumulate twice')!;
    expect(run(c)).toEqual(once.pycocotools.stats);
  });

  it.each(['ground truth without iscrowd', 'keypoints ground truth without iscrowd'])(
    '%s counts as iscrowd 0',
    (name) => {
      const c = evals.find((entry) => entry.name === name)!;
      const gt = c.gt as CocoDataset;
      const annotations = gt.annotations!.map((a) => ({ iscrowd: 0, ...a }));
      expect(run(c)).toEqual(run({ ...c, gt: { ...gt, annotations } }));
    },
  );

  it.each(['segm result as polygons without bbox', 'segm result as uncompressed RLE'])('accepts a %s', (name) => {
    const c = evals.find((entry) => entry.name === name)!;
    const dt = c.dt as CocoResult[];
    const sizes = new Map((c.gt as CocoDataset).images.map((i) => [i.id, [i.height!, i.width!] as const]));
    const packed = dt.map((r) => ({
      ...r,
      segmentation: mask.fromSegmentation(r.segmentation!, ...sizes.get(r.image_id)!),
    }));
    expect(run(c)).toEqual(run({ ...c, dt: packed }));
    expect(run(c)).toHaveLength(12);
  });

  it('all cases of evaluation are answered above', () => {
    const others = ['no results at all', 'useCats 0, evaluated a second time', 'ground truth without iscrowd'];
    others.push(
      'keypoints ground truth without iscrowd',
      'segm result as polygons without bbox',
      'segm result as uncompressed RLE',
    );
    const answered = evals.filter((c) => c.name in ERRORS || c.pycocotools.stats || others.includes(c.name));
    expect(answered).toHaveLength(evals.length);
  });

  it('evaluateDetections refuses the same results', () => {
    for (const c of evals.filter(
      (entry) => entry.name in ERRORS && entry.name.includes('result') && entry.iouType !== 'keypoints',
    )) {
      const options = { iouType: c.iouType as IouType };
      expect(() => evaluateDetections(c.gt as CocoDataset, c.dt as CocoResult[], options)).toThrow(CocoFormatError);
    }
  });

  const calls: Record<string, (a: never) => unknown> = {
    'mu.decode(a)': (a: Rle | Rle[]) => (Array.isArray(a) ? mask.merge(a) : mask.decode(a)),
    'mu.area(a)': (a: Rle) => mask.area(a),
    'mu.toBbox(a)': (a: Rle) => mask.toBbox(a),
    'mu.merge(a)': (a: Rle[]) => mask.merge(a),
    'mu.frPyObjects(a, 10, 10)': (a: Rle[]) => mask.frPyObjects(a as never, 10, 10),
    'mu.frPyObjects(a, 99, 99)': (a: Rle[]) => mask.frPyObjects(a as never, 99, 99),
    'mu.iou(a["d"], a["g"], [0])': (a: { d: number[][]; g: number[][] }) => mask.iou(a.d, a.g, [0]),
    'mu.encode(np.asfortranarray(np.array(a, float)))': (a: number[][]) => mask.encode(a),
    'mu.encode(np.array(a, np.uint8)[:, :, None].repeat(2, 2))': (a: number[][]) =>
      mask.encode({ height: 2, width: 2, data: [...a.flat(), ...a.flat()] }),
  };

  const accepted: Record<string, unknown> = {
    'uncompressed counts where compressed are needed': 10,
    'uncompressed: size differs from h, w': { size: [10, 10], counts: '<550T2' },
    'toBbox of a mask whose only foreground runs have length 0': [0, 0, 0, 0],
    'encode: not uint8': { size: [2, 2], counts: '121' },
  };

  it.each(masks.map((c) => [c.name, c] as const))('mask: %s', (name, c) => {
    const call = calls[c.call!]!;
    if (name in accepted) expect(call(c.args as never)).toEqual(accepted[name]);
    else expect(() => call(c.args as never)).toThrow(CocoFormatError);
  });
});
