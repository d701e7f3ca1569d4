import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRuntime } from '@pyramidal/runtime';
import { blankImage, BrokenImageError, encodeImage, IMAGENET_NORMALISATION } from '@pyramidal/images';
import type { BatchSource } from '@pyramidal/loading';
import { dataFolder, describeWith, expectNoLeaks } from '@pyramidal/testing';
import * as tf from '@tensorflow/tfjs-core';
import { type DetectionBatch, openDetectionBatches, type DetectionBatchesOptions } from './batches';
import { type DetectionSample, openDetectionDataset, readDetectionClasses } from './dataset';
import { prepareSample, type DetectionTransform } from './prepare';

type Json = Record<string, unknown>;

const TRANSFORM: DetectionTransform = {
  scales: [{ shortest: 64, longest: 96 }],
  normalisation: IMAGENET_NORMALISATION,
  maskSide: 14,
  maxObjects: 256,
};

let folder: string;

beforeAll(async () => {
  await openRuntime({ engine: 'cpu' });
  folder = mkdtempSync(join(tmpdir(), 'coco-'));
  for (const [name, width, height] of [
    ['a', 40, 30],
    ['b', 30, 40],
    ['c', 38, 30],
    ['thin', 8000, 20],
    ['dot', 1, 1],
  ] as const) {
    // prettier-ignore
    writeFileSync(join(folder, `${name}.png`), await encodeImage(blankImage({ width, height }, [200, 100, 50]), 'png'));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const image = (id: number, name: string, width: number, height: number): Json => ({
  ...{ id, width, height },
  file_name: `${name}.png`,
});

const object = (id: number, changes: Json = {}): Json => ({
  ...{ id, image_id: 1, category_id: 7, iscrowd: 0, area: 100, bbox: [5, 5, 10, 10] },
  segmentation: [[5, 5, 15, 5, 15, 15, 5, 15]],
  ...changes,
});

async function open(changes: Json, options: { emptyImages?: 'keep' | 'filter' } = {}) {
  const dataset = {
    images: [image(1, 'a', 40, 30)],
    categories: [
      { id: 90, name: 'second' },
      { id: 7, name: 'first' },
    ],
    annotations: [object(1)],
    ...changes,
  };
  const annotations = join(folder, 'annotations.json');
  writeFileSync(annotations, JSON.stringify(dataset));
  return openDetectionDataset({ annotations, images: folder, ...options });
}

describe('openDetectionDataset', () => {
  it('gives labels from 0 and boxes by their corners', async () => {
    const { classes, samples, dropped } = await open({ annotations: [object(1), object(2, { category_id: 90 })] });
    expect(classes).toEqual([
      { categoryId: 7, name: 'first' },
      { categoryId: 90, name: 'second' },
    ]);
    expect(samples[0]!.objects.map(({ label, box }) => [label, box])).toEqual([
      [0, [5, 5, 15, 15]],
      [1, [5, 5, 15, 15]],
    ]);
    expect(dropped).toEqual([]);
  });

  it('leaves out boxes that no detector can learn from, and says which', async () => {
    const boxes = [[5, 5, 0, 10], [5, 5, 0.5, 10], [100, 100, 10, 10], [-20, 5, 10, 10]]; // prettier-ignore
    const annotations = [object(1), ...boxes.map((bbox, i) => object(10 + i, { bbox })), object(20, { area: 0 })];
    const { samples, dropped } = await open({ annotations });
    expect(samples[0]!.objects).toHaveLength(1);
    expect(dropped).toEqual([10, 11, 12, 13, 20]);
  });

  it('keeps crowds apart; an image of crowds alone counts as empty', async () => {
    const crowd = object(1, { iscrowd: 1, segmentation: { size: [30, 40], counts: [1200] } });
    const kept = await open({ annotations: [crowd] });
    expect(kept.samples.map(({ objects, crowds }) => [objects.length, crowds.length])).toEqual([[0, 1]]);
    expect((await open({ annotations: [crowd] }, { emptyImages: 'filter' })).samples).toEqual([]);
    expect((await open({ annotations: [] }, { emptyImages: 'filter' })).samples).toEqual([]);
  });

  it.each<[string, Json, string]>([
    [
      'an image id twice',
      { images: [image(1, 'a', 40, 30), image(1, 'b', 30, 40)] },
      'images[1]: id: expected an id that no other image has, received 1',
    ],
    [
      'an image that is not there',
      { images: [image(1, 'a', 40, 30), image(2, 'gone', 4, 4)] },
      '1 of 2 images are not there, the first one',
    ],
    [
      'an annotation of no image',
      { annotations: [object(3, { image_id: 9 })] },
      'annotation 3: image_id: expected the id of an image, received 9',
    ],
    [
      'a missing category',
      { annotations: [object(3, { category_id: 8 })] },
      'annotation 3: category_id: expected the id of a category, received 8',
    ],
    [
      'a polygon of two points',
      { annotations: [object(3, { segmentation: [[1, 1, 2, 2]] })] },
      'annotation 3: segmentation[0]: expected a polygon',
    ],
    [
      'an odd number of coordinates',
      { annotations: [object(3, { segmentation: [[1, 1, 2, 2, 3, 3, 4]] })] },
      'annotation 3: segmentation[0]: expected a polygon',
    ],
    [
      'a box of three numbers',
      { annotations: [object(3, { bbox: [1, 2, 3] })] },
      'annotation 3: bbox: expected [x, y, width, height], received [1,2,3]',
    ],
    [
      'an image without size',
      { images: [{ id: 1, file_name: 'a.png' }] },
      'image 1: expected a width and height in whole pixels',
    ],
  ])('names %s', async (_, changes, message) => {
    // prettier-ignore
    await expect(open(changes)).rejects.toThrow(message);
  });
});

describe('files', () => {
  const annotations = (): string => join(folder, 'annotations.json');

  it('that are not there or no JSON are named', async () => {
    await open({});
    const images = join(folder, 'nowhere');
    await expect(openDetectionDataset({ annotations: annotations(), images })).rejects.toThrow(
      'nowhere: no such folder',
    );
    const none = join(folder, 'none.json');
    await expect(openDetectionDataset({ annotations: none, images: folder })).rejects.toThrow(
      'none.json: no such file',
    );
    writeFileSync(annotations(), '{"images": [');
    await expect(openDetectionDataset({ annotations: annotations(), images: folder })).rejects.toThrow(
      'annotations.json: not valid JSON',
    );
  });

  it('of categories alone give the classes', async () => {
    writeFileSync(annotations(), JSON.stringify({ categories: [{ id: 9, name: 'b' }, { id: 4 }] }));
    expect(await readDetectionClasses(annotations())).toEqual([
      { categoryId: 4, name: 'category 4' },
      { categoryId: 9, name: 'b' },
    ]);
    writeFileSync(annotations(), '{}');
    await expect(readDetectionClasses(annotations())).rejects.toThrow('annotations.json: dataset: categories');
  });
});

describe('openDetectionBatches', () => {
  const loaderOf = (
    samples: readonly DetectionSample[],
    options: Partial<DetectionBatchesOptions> = {},
  ): BatchSource<DetectionBatch> =>
    openDetectionBatches({
      ...{ samples, transform: TRANSFORM, batchSize: 2, shuffle: false, seed: 0, workers: 0 },
      ...options,
    });

  it('pads images and ground truth to fixed shapes', async () => {
    const { samples } = await open({
      images: [image(1, 'a', 40, 30), image(2, 'c', 38, 30)],
      annotations: [
        object(1),
        object(2, { image_id: 2 }),
        object(3, { iscrowd: 1, segmentation: { size: [30, 40], counts: [1200] } }),
      ],
    });
    const loader = loaderOf(samples);
    expect(loader.batchesPerEpoch).toBe(1);
    await expectNoLeaks(async () => {
      for await (const { tensors, samples: parts, alike } of loader.batches()) {
        expect(tensors.images.shape).toEqual([2, 64, 96, 3]);
        expect([...tensors.sizes.dataSync()]).toEqual([64, 85, 64, 81]);
        expect(tensors.masks?.shape).toEqual([2, 32, 14, 14]);
        expect([...tensors.hasMask!.dataSync()].filter(Boolean)).toHaveLength(2);
        expect(tensors.ignored.shape).toEqual([2, 8, 4]);
        expect(tensors.ignored.dataSync()[1]).toBeCloseTo((5 * 64) / 30, 4);
        expect([...tensors.labels.dataSync()].filter((label) => label >= 0)).toEqual([0, 0]);
        expect(parts.map(({ id }) => id)).toEqual([1, 2]);
        expect(alike).toBe(1);
        tf.dispose(tensors);
      }
    });
  });

  it('tells objects that have a mask from those labelled by their box alone', async () => {
    const bare = [undefined, null, []].map((segmentation, i) => object(2 + i, { segmentation: segmentation as never }));
    const dataset = { images: [image(1, 'a', 40, 30)], annotations: [object(1), ...bare] };
    const { samples, dropped } = await open(dataset);
    expect(dropped).toEqual([]);
    expect(samples[0]!.objects.map(({ segmentation }) => segmentation !== undefined)).toEqual([
      true,
      false,
      false,
      false,
    ]);
    const prepared = await prepareSample(samples[0]!, { ...TRANSFORM, maskSide: 14 }, [0]);
    expect([...prepared.hasMask]).toEqual([1, 0, 0, 0]);
    expect(prepared.masks.subarray(14 * 14).some((cell) => cell > 0)).toBe(false);
    expect(prepared.labels).toHaveLength(4);
    const boxes = await prepareSample(samples[0]!, { ...TRANSFORM, maskSide: 0 }, [0]);
    expect([boxes.boxes, boxes.masks.length]).toEqual([prepared.boxes, 0]);
  });

  it('evaluates images of one canvas together, and goes on at any batch', async () => {
    const images = [1, 2, 3, 4, 5].map((id) => (id % 2 ? image(id, 'a', 40, 30) : image(id, 'b', 30, 40)));
    const loader = loaderOf((await open({ images, annotations: [] })).samples);
    const read = async (batch: number): Promise<unknown[]> => {
      const found: unknown[] = [];
      for await (const { tensors, samples, alike, ...at } of loader.batches({ batch })) {
        found.push([at.batch, samples.map(({ id }) => id), tensors.images.shape.slice(1, 3), alike]);
        tf.dispose(tensors);
      }
      return found;
    };
    const all = [
      [0, [1, 3], [64, 96], 2],
      [1, [5], [64, 96], 2],
      [2, [2, 4], [96, 64], 1],
    ];
    expect(await read(0)).toEqual(all);
    expect(await read(1)).toEqual(all.slice(1));
    expect(await read(2)).toEqual(all.slice(2));
    expect(loader.batchesPerEpoch).toBe(3);
  });

  it('has three canvases in training, whatever is cropped', async () => {
    const images = [1, 2, 3, 4].map((id) => (id < 3 ? image(id, 'a', 40, 30) : image(id, 'b', 30, 40)));
    const { samples } = await open({ images, annotations: [] });
    const crop = { probability: 1, scales: TRANSFORM.scales, sides: [20, 60] as const };
    const loader = loaderOf(samples, { shuffle: true, transform: { ...TRANSFORM, crop } });
    const shapes = new Set<string>();
    for await (const { tensors } of loader.batches({ untilEpoch: 40 })) {
      shapes.add(tensors.images.shape.slice(1, 3).join('x'));
      tf.dispose(tensors);
    }
    expect([...shapes].sort()).toEqual(['64x96', '96x64', '96x96']);
  });

  it('puts another image in the place of a broken one', async () => {
    writeFileSync(join(folder, 'torn.png'), 'not an image');
    const images = [image(1, 'a', 40, 30), image(2, 'torn', 40, 30), image(3, 'c', 38, 30)];
    const { samples } = await open({ images, annotations: [] });
    const loader = loaderOf(samples, { shuffle: true, onBroken: 'skip' });
    let batches = 0;
    for await (const { tensors, samples: parts } of loader.batches({ untilEpoch: 2 })) {
      expect(parts).toHaveLength(2);
      expect(parts.map(({ id }) => id)).not.toContain(2);
      batches++;
      tf.dispose(tensors);
    }
    expect(batches).toBe(2 * loader.batchesPerEpoch);
    expect([...loader.broken.keys()]).toEqual([join(folder, 'torn.png')]);
    const strict = loaderOf(samples, { shuffle: true, batchSize: 3 });
    await expect(strict.batches().next()).rejects.toThrow('torn.png');
  });

  it('shuffles into full batches of one orientation, the same for the same seed', async () => {
    const images = [1, 2, 3, 4, 5].map((id) => (id < 4 ? image(id, 'a', 40, 30) : image(id, 'b', 30, 40)));
    const { samples } = await open({ images, annotations: [] });
    const idsOf = async (): Promise<number[][]> => {
      const loader = loaderOf(samples, { shuffle: true, seed: 3 });
      const ids: number[][] = [];
      for await (const batch of loader.batches({ untilEpoch: 2 })) {
        ids.push(batch.samples.map(({ id }) => id));
        const [, height, width] = batch.tensors.images.shape;
        expect([height, width]).toEqual(ids.at(-1)![0]! < 4 ? [64, 96] : [96, 64]);
        tf.dispose(batch.tensors);
      }
      expect(ids).toHaveLength(2 * loader.batchesPerEpoch);
      return ids;
    };
    const ids = await idsOf();
    expect(ids.every((batch) => batch.length === 2 && batch.every((id) => id < 4 === batch[0]! < 4))).toBe(true);
    expect(new Set(ids.slice(0, 3).flat()).size).toBe(5);
    expect(await idsOf()).toEqual(ids);
  });

  it('takes images of one pixel, thin ones, and ones with very many objects', async () => {
    const many = Array.from({ length: 600 }, (_, i) => object(i + 1, { image_id: 1, bbox: [5, 5, 10 + i / 100, 10] }));
    const odd = [object(1001, { image_id: 2, bbox: [4000, 5, 100, 10], segmentation: [[4000, 5, 4100, 5, 4100, 15]] }), object(1002, { image_id: 3, bbox: [0, 0, 1, 1] })]; // prettier-ignore
    const { samples } = await open({
      images: [image(1, 'a', 40, 30), image(2, 'thin', 8000, 20), image(3, 'dot', 1, 1)],
      annotations: [...many, ...odd],
    });
    const found: unknown[] = [];
    for await (const { tensors } of loaderOf(samples).batches()) {
      const counts = tf.sum(tf.cast(tf.greaterEqual(tensors.labels, 0), 'int32'));
      expect(tf.all(tf.isFinite(tensors.regions!)).dataSync()[0]).toBe(1);
      found.push([tensors.images.shape, [...tensors.sizes.dataSync()], tensors.labels.shape, counts.dataSync()[0]]);
    }
    expect(found).toEqual([
      [[1, 64, 96, 3], [64, 85], [1, 256], 256],
      [[1, 32, 96, 3], [1, 96], [1, 32], 1],
      [[1, 64, 64, 3], [64, 64], [1, 32], 1],
    ]);
  });

  it('names an image whose size is not the annotated one, and one that is broken', async () => {
    const { samples } = await open({ images: [image(1, 'a', 41, 30)], annotations: [] });
    await expect(prepareSample(samples[0]!, TRANSFORM, [0])).rejects.toThrow(
      'a.png: expected 41x30 pixels as annotated, received 40x30',
    );
    writeFileSync(join(folder, 'broken.png'), 'not an image');
    const broken = await open({ images: [image(1, 'broken', 4, 4)], annotations: [] });
    await expect(prepareSample(broken.samples[0]!, TRANSFORM, [0])).rejects.toThrow(BrokenImageError);
  });
});

describeWith(dataFolder(), 'COCO val2017', (data) => {
  it('reads the images that are there, in worker threads', async () => {
    const { samples, classes } = await openDetectionDataset({
      annotations: join(data, 'coco/annotations/instances_val2017.json'),
      images: join(data, 'coco/val2017'),
    });
    expect(classes).toHaveLength(80);
    const few = samples.slice(0, 4);
    const transform = { ...TRANSFORM, scales: [{ shortest: 64, longest: 64 }] };
    const loader = openDetectionBatches({
      ...{ samples: few, transform, batchSize: 2, shuffle: false, seed: 0, workers: 1 },
    });
    const ids: number[] = [];
    for await (const batch of loader.batches()) {
      ids.push(...batch.samples.map(({ id }) => id));
      tf.dispose(batch.tensors);
    }
    await loader.close();
    expect(ids.sort((a, b) => a - b)).toEqual(few.map(({ id }) => id));
  });
});
