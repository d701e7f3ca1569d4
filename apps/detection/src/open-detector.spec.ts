import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CocoResult, mask as masks, type Rle } from '@cocoeval/ts';
import { decodeImage } from '@pyramidal/images';
import * as tf from '@tensorflow/tfjs-core';
import { BrokenImageError, ClosedError, cocoResults, type DetectedObject, openDetector, type TrainedDetector } from '.';
import { detect, makeToy } from './testing/toy';

/** A checkpoint and a few photographs, in a place where neither data set nor configuration is. */
let folder: string;
let weights: string;
let photos: string[];
/** What `eval` and `predict` wrote of them. */
let results: Record<'bbox' | 'segm', CocoResult[]>;
let predictions: { detections: DetectedObject[] }[];

const ALL = 'model.detector.detections={ count: 6, scoreThreshold: 0 }';
const QUICK = [ALL, 'train.epochs=10', 'runtime.compile=false', 'train.batchSize=2'];

beforeAll(async () => {
  jest.spyOn(console, 'error').mockImplementation();
  jest.spyOn(console, 'log').mockImplementation();
  jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
  const toy = await makeToy();
  expect(await detect(`train ${toy.config} --out ${toy.folder}/run`, ...QUICK)).toEqual({ code: 0, message: '' });
  expect(await detect(`eval --weights ${toy.folder}/run --out ${toy.folder}/eval`)).toEqual({ code: 0, message: '' });
  const read = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;
  results = { bbox: read(join(toy.folder, 'eval/bbox.json')), segm: read(join(toy.folder, 'eval/segm.json')) };

  folder = mkdtempSync(join(tmpdir(), 'one-file-'));
  weights = join(folder, 'best.safetensors');
  renameSync(join(toy.folder, 'run/best.safetensors'), weights);
  renameSync(join(toy.folder, 'data/images'), join(folder, 'photos'));
  rmSync(toy.folder, { recursive: true });
  photos = readdirSync(join(folder, 'photos')).map((name) => join(folder, 'photos', name));
  const line = `predict ${folder}/photos --weights ${weights} --out ${folder}/found`;
  expect(await detect(line)).toEqual({ code: 0, message: '' });
  predictions = read(join(folder, 'found/predictions.json'));
});

afterAll(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

async function withDetector<T>(use: (detector: TrainedDetector) => Promise<T>, options = {}): Promise<T> {
  const detector = await openDetector(weights, options);
  try {
    return await use(detector);
  } finally {
    await detector.close();
  }
}

function expectSame(found: readonly DetectedObject[], expected: readonly DetectedObject[]): void {
  expect(found.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
  found.forEach(({ categoryId, score, box, mask }, i) => {
    const other = expected[i]!;
    expect(categoryId).toBe(other.categoryId);
    expect(Math.abs(score - other.score)).toBeLessThan(1e-5);
    box.forEach((value, k) => expect(Math.abs(value - other.box[k]!)).toBeLessThan(1e-3));
    expectSameMask(mask!, other.mask as Rle);
  });
}

/** But for a pixel in a hundred at the edge. */
function expectSameMask(a: Rle, b: Rle): void {
  const [both, either] = [true, false].map((intersect) => masks.area(masks.merge([{ ...a }, b], intersect)));
  expect(either! - both!).toBeLessThanOrEqual(0.01 * either!);
}

describe('openDetector', () => {
  it("finds what predict found, which is what eval's results files hold, with the data set gone", async () => {
    await withDetector(async (detector) => {
      expect(detector.classes).toEqual([
        { categoryId: 3, name: 'blue' },
        { categoryId: 7, name: 'red' },
      ]);
      const found = await detector.detect(photos);
      found.forEach(({ objects, image, index, width, height }, i) => {
        expect([image, index, width, height, objects.length]).toEqual([photos[i], i, 64, 48, 6]);
        expectSame(objects, predictions[i]!.detections);
        const records = cocoResults(objects, 10 + i);
        const own = (kind: 'bbox' | 'segm') => results[kind].filter(({ image_id }) => image_id === 10 + i);
        records.forEach(({ category_id, score, bbox }, k) => {
          const expected = own('bbox')[k]!;
          expect(category_id).toBe(expected.category_id);
          expect(Math.abs(score - expected.score)).toBeLessThan(1e-5);
          bbox!.forEach((value, side) => expect(Math.abs(value - expected.bbox![side]!)).toBeLessThan(1e-3));
        });
        const pairs = records.map(({ segmentation }, k) => [segmentation as Rle, own('segm')[k]!.segmentation as Rle]);
        for (const [a, b] of pairs) expectSameMask(a!, b!);
      });
    });
  });

  it('takes bytes of the checkpoint, and of images, and pixels', async () => {
    const [photo] = photos;
    const detector = await openDetector(readFileSync(weights), { batchSize: 3 });
    const bytes = readFileSync(photo!);
    const within = Buffer.concat([Buffer.alloc(7), bytes]).subarray(7);
    const found = await detector.detect([photo!, bytes, within, await decodeImage(photo!)]);
    await detector.close();
    for (const { objects } of found) expectSame(objects, predictions[0]!.detections);
  });

  it('finds the same for many callers at once, and keeps no tensor', async () => {
    const before = tf.memory().numTensors;
    await withDetector(async (detector) => {
      const calls = Array.from({ length: 24 }, (_, i) => detector.detect([photos[i % photos.length]!]));
      const found = await Promise.all(calls);
      found.forEach(([one], i) => expectSame(one.objects, predictions[i % photos.length]!.detections));
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('tells objects of a score, with masks as bitmaps and polygons', async () => {
    const scores = predictions[0]!.detections.map(({ score }) => score);
    const minScore = (scores[2]! + scores[3]!) / 2;
    await withDetector(
      async (detector) => {
        const [{ objects }] = await detector.detect([photos[0]!]);
        expect(objects.map(({ score }) => score >= minScore)).toEqual(Array(3).fill(true));
        for (const { mask } of objects) {
          const area = mask!.toBitmap().reduce((sum, value) => sum + value, 0);
          expect(masks.area({ ...mask! })).toBe(area);
          const polygons = mask!.toPolygons();
          const filled = polygons.length === 0 ? 0 : masks.area(masks.merge(masks.fromPolygons(polygons, 48, 64)));
          expect(filled).toBeGreaterThanOrEqual(area);
          expect(JSON.parse(JSON.stringify(mask))).toEqual({ size: [48, 64], counts: mask!.counts });
        }
      },
      { minScore },
    );
  });

  it('lets a broken image harm its own call alone, and names it', async () => {
    const broken = Buffer.from('no picture');
    await withDetector(async (detector) => {
      const [good, bad] = await Promise.allSettled([detector.detect(photos), detector.detect([photos[0]!, broken])]);
      expect(good.status).toBe('fulfilled');
      expect(bad).toMatchObject({ status: 'rejected', reason: expect.any(BrokenImageError) });
      expect((bad as PromiseRejectedResult).reason.message).toMatch(/^images\[1\]: cannot be decoded: expected JPEG/);
      const told: string[] = [];
      const stream = detector.stream([broken, ...photos, join(folder, 'none.jpg')], {
        onBroken: ({ image }) => told.push(image),
      });
      const indices: number[] = [];
      for await (const { index } of stream) indices.push(index);
      expect(indices).toEqual([1, 2, 3, 4]);
      expect(told).toEqual(['images[0]', join(folder, 'none.jpg')]);
      const pixels = { data: new Uint8Array(5), width: 2, height: 1 };
      await expect(detector.detect([pixels])).rejects.toThrow(/^images\[0\]: expected 3 bytes for each of 2x1 pixels/);
    });
  });

  it('refuses images after it was closed, and stops at a signal', async () => {
    const detector = await openDetector(weights);
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    await expect(detector.detect(photos, { signal: stop.signal })).rejects.toThrow('enough');
    const taken = detector.detect(photos.slice(0, 1));
    await new Promise((resolve) => setImmediate(resolve));
    await detector.close();
    expect(await taken).toHaveLength(1);
    await expect(detector.detect(photos)).rejects.toThrow(ClosedError);
    await detector.close();
  });

  it('shares an engine with other detectors, and says in one line when it cannot', async () => {
    const [first, second] = await Promise.all([openDetector(weights, { engine: 'cpu' }), openDetector(weights)]);
    await expect(openDetector(weights, { engine: 'wasm' })).rejects.toThrow(
      'engine: expected cpu, which other models of this process use, received wasm; close them first',
    );
    await first.close();
    const [found] = await second.detect(photos.slice(0, 1));
    expectSame(found!.objects, predictions[0]!.detections);
    await second.close();
  });

  it('says in one line what is wrong with options and files', async () => {
    await expect(openDetector(join(folder, 'none.safetensors'))).rejects.toThrow(
      /none\.safetensors: cannot be opened: no such file/,
    );
    await expect(openDetector(weights, { batchSize: 0 })).rejects.toThrow(/evaluation\.batchSize=0: .*at least 1/);
    await expect(openDetector(Buffer.from('nothing at all'))).rejects.toThrow(/^weights: not a valid safetensors/);
    writeFileSync(join(folder, 'other.pth'), 'no weights');
    await expect(openDetector(join(folder, 'other.pth'))).rejects.toThrow(/other\.pth: /);
  });
});

describe('a checkpoint without its data set', () => {
  it('is exported and described; eval needs the data set and says so', async () => {
    expect(await detect(`export --weights ${weights} --out ${folder}/export`)).toEqual({ code: 0, message: '' });
    expect(await detect(`info --weights ${weights}`, 'runtime.engine=cpu')).toEqual({ code: 0, message: '' });
    const evaluated = await detect(`eval --weights ${weights} --out ${folder}/eval`);
    expect(evaluated.code).not.toBe(0);
    expect(evaluated.message).toMatch(/^.*\/data: no such folder \(data\.root\)\n$/);
  });

  it('follows --set over what it brings along', async () => {
    const line = `predict ${photos[0]} --weights ${weights} --out ${folder}/two`;
    const two = 'model.detector.detections.count=2';
    expect(await detect(line, two)).toEqual({ code: 0, message: '' });
    const [{ detections }] = JSON.parse(readFileSync(join(folder, 'two/predictions.json'), 'utf8')) as [
      { detections: unknown[] },
    ];
    expect(detections).toHaveLength(2);
  });
});
