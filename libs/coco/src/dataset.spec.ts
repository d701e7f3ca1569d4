import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRuntime } from '@pyramidal/runtime';
import { blankImage, BrokenImageError, encodeImage, IMAGENET_NORMALISATION } from '@pyramidal/images';
import type { BatchSource } from '@pyramidal/loading';
import { dataFolder, describeWith, expectNoLeaks } from '@pyramidal/testing';
import sharp from 'sharp';
import * as tf from '@tensorflow/tfjs-core';
import { type DetectionBatch, openDetectionBatches, type DetectionBatchesOptions } from './batches';
import {
  type DetectionDatasetOptions,
  type DetectionSample,
  openDetectionDataset,
  readDetectionClasses,
  requireSameClasses,
} from './dataset';
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

async function open(changes: Json, options: Partial<DetectionDatasetOptions> = {}) {
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
    const { samples, dropped, notes } = await open({ annotations });
    expect(samples[0]!.objects).toHaveLength(1);
    expect(dropped.map(({ id }) => id)).toEqual([10, 11, 12, 13, 20]);
    expect(notes).toContain(
      `${join(folder, 'annotations.json')}: 5 objects are left out: 2 with a box less than a pixel wide or high, ` +
        '2 with a box outside of its image, 1 with an area of 0 (annotations 10, 11, 12, 13, 20)',
    );
  });

  it('finds images in folders of their own', async () => {
    const nested = join(folder, 'town one/ünal');
    mkdirSync(nested, { recursive: true });
    copyFileSync(join(folder, 'a.png'), join(nested, 'a.png'));
    const images = [image(1, 'town one/ünal/a', 40, 30), image(2, 'a', 40, 30)];
    const { samples } = await open({ images });
    expect(samples.map(({ file }) => file)).toEqual([join(nested, 'a.png'), join(folder, 'a.png')]);
    await expect(open({ images: [image(1, 'town one/a', 40, 30)] })).rejects.toThrow(
      `1 of 1 images are not there, the first one ${join(folder, 'town one/a.png')}`,
    );
  });

  it('opens one side of a split, the same whatever is done with images without objects', async () => {
    const images = Array.from({ length: 10 }, (_, i) => image(i + 1, 'a', 40, 30));
    const annotations = images.slice(0, 5).map(({ id }) => object(id as number, { image_id: id }));
    const idsOf = async (of: Json[], take: 'training' | 'validation', emptyImages: 'keep' | 'filter' = 'keep') => {
      const part = { share: 0.3, seed: 2, take };
      return (await open({ images: of, annotations }, { part, emptyImages })).samples.map(({ id }) => id);
    };
    const [training, validation] = [await idsOf(images, 'training'), await idsOf(images, 'validation')];
    expect(validation).toHaveLength(3);
    expect([...training, ...validation].sort((a, b) => a - b)).toEqual(images.map(({ id }) => id));
    expect(await idsOf([...images].reverse(), 'validation')).toEqual(validation);
    expect(await idsOf(images, 'training', 'filter')).toEqual(training.filter((id) => id <= 5));
  });

  it('keeps crowds apart; an image of crowds alone counts as empty', async () => {
    const crowd = object(1, { iscrowd: 1, segmentation: { size: [30, 40], counts: [1200] } });
    const kept = await open({ annotations: [crowd] });
    expect(kept.samples.map(({ objects, crowds }) => [objects.length, crowds.length])).toEqual([[0, 1]]);
    const images = [image(1, 'a', 40, 30), image(2, 'b', 30, 40)];
    const annotations = [crowd, object(2, { image_id: 2, segmentation: undefined })];
    expect((await open({ images, annotations }, { emptyImages: 'filter' })).samples.map(({ id }) => id)).toEqual([2]);
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
      'annotations[0] (id 3): image_id: expected the id of an image of this file, received 9',
    ],
    [
      'a missing category',
      { annotations: [object(3, { category_id: 8 })] },
      'annotations[0] (id 3): category_id: expected the id of a category of this file, received 8',
    ],
    [
      'a polygon of two points',
      { annotations: [object(3, { segmentation: [[1, 1, 2, 2]] })] },
      'annotations[0] (id 3): segmentation[0]: expected a polygon of at least three points, received [1,1,2,2]',
    ],
    [
      'a box of three numbers',
      { annotations: [object(3, { bbox: [1, 2, 3] })] },
      'annotations[0] (id 3): bbox: expected 4 finite numbers, received 3 values',
    ],
    [
      'an image without size',
      { images: [{ id: 1, file_name: 'a.png' }] },
      'images[0] (id 1): height: expected whole pixels, received nothing',
    ],
    [
      'a size that is text',
      { images: [{ ...image(1, 'a', 40, 30), width: '40' }] },
      'images[0] (id 1): width: expected whole pixels, received "40"',
    ],
    [
      'a file name that is a number',
      { images: [{ ...image(1, 'a', 40, 30), file_name: 7 }] },
      'images[0] (id 1): file_name: expected text, received 7',
    ],
    [
      'a crowd that is text',
      { annotations: [object(3, { iscrowd: '0' })] },
      'annotations[0] (id 3): iscrowd: expected 0 or 1, received "0"',
    ],
    [
      'a mask of another size than its image',
      { annotations: [object(3, { segmentation: { size: [40, 30], counts: [1200] } })] },
      'annotations[0] (id 3): segmentation.size: expected [30,40] as image 1 has, received [40,30]',
    ],
    [
      'a mask that would fill the memory',
      { annotations: [object(3, { segmentation: { size: [46340, 46340], counts: [46340 * 46340] } })] },
      'annotations[0] (id 3): segmentation.size: expected [30,40] as image 1 has',
    ],
    [
      'a mask whose runs are too few',
      { annotations: [object(3, { segmentation: { size: [30, 40], counts: [7] } })] },
      'annotations[0] (id 3): segmentation.counts',
    ],
    [
      'a negative width',
      { annotations: [object(3, { bbox: [5, 5, -2, 3] })] },
      'annotations[0] (id 3): bbox: expected a width and height of at least 0',
    ],
    [
      'an area that is text',
      { annotations: [object(3, { area: '7' })] },
      'annotations[0] (id 3): area: expected a finite number, received "7"',
    ],
    [
      'a polygon that reaches beyond all pictures',
      { annotations: [object(3, { segmentation: [[1, 1, 5e8, 2, 3, 3]] })] },
      'annotations[0] (id 3): segmentation',
    ],
    ...['../a.png', '/etc/passwd', 'x/../../a.png', 'a\0.png'].map((name): [string, Json, string] => [
      `the file name ${JSON.stringify(name)}`,
      { images: [{ ...image(1, 'a', 40, 30), file_name: name }] },
      'images[0] (id 1): file_name: expected a path below the folder of the images, received',
    ]),
    [
      'an image that is not of its annotated size',
      { images: [image(1, 'a', 30, 40)] },
      'a.png: expected 30x40 pixels as its labels have, received 40x30',
    ],
  ])('names %s', async (_, changes, message) => {
    // prettier-ignore
    await expect(open(changes)).rejects.toThrow(message);
  });

  it('names the file and the reason where no image is left', async () => {
    const annotations = [object(1, { area: 0 }), object(2, { area: 0 }), object(3, { bbox: [90, 90, 5, 5] })];
    await expect(open({ annotations }, { emptyImages: 'filter' })).rejects.toThrow(
      `${join(folder, 'annotations.json')}: expected at least one image with an object, received none: 1 images, ` +
        '3 annotations; left out: 2 with an area of 0, 1 with a box outside of its image (annotations 1, 2, 3)',
    );
    await expect(open({ images: [], annotations: [] })).rejects.toThrow('expected at least one image, received none');
  });

  it('refuses what evaluation would refuse, where evaluation follows', async () => {
    const annotations = [object(4, { area: undefined })];
    expect((await open({ annotations })).samples[0]!.objects).toHaveLength(1);
    await expect(open({ annotations }, { evaluated: true })).rejects.toThrow(
      'annotations[0] (id 4): area: expected a finite number, received nothing',
    );
  });

  it('refuses more annotations of one image than a thread can be sent', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => object(i + 1));
    expect((await open({ annotations: many(1000) })).samples[0]!.objects).toHaveLength(1000);
    await expect(open({ annotations: many(100_001) })).rejects.toThrow(
      'annotations.json: image 1: expected at most 100000 annotations of one image, received 100001',
    );
  });

  it('draws what is left of a polygon, as evaluation does', async () => {
    const { samples } = await open({ annotations: [object(1, { segmentation: [[1, 1, 9, 1, 9, 9, 4], [1, 1, 2, 2]] })] }); // prettier-ignore
    expect(samples[0]!.objects[0]!.segmentation).toEqual([[1, 1, 9, 1, 9, 9]]);
  });
});

describe('requireSameClasses', () => {
  const set = (name: string, ...names: string[]) => ({
    name,
    classes: names.map((text, i) => ({ categoryId: i + 1, name: text })),
  });
  const [train] = [set('data.train', 'red', 'blue')];

  it('takes the same ids with the same names', () => {
    expect(() => requireSameClasses(train, set('data.val', 'red', 'blue'))).not.toThrow();
  });

  it.each([
    ['swapped names', set('data.val', 'blue', 'red'), "data.val: category 1 is 'red' in data.train and 'blue' here"],
    ['a missing one', set('data.val', 'red'), "data.val: category 2 is 'blue' in data.train and is missing here"],
    ['one more', set('data.val', 'red', 'blue', 'x'), "data.val: category 3 is 'x' here and is missing in data.train"],
  ])('refuses %s in one line', (_, val, message) => {
    expect(() => requireSameClasses(train, val)).toThrow(expect.objectContaining({ message, exitCode: 2 }));
  });
});

describe('files', () => {
  const annotations = (): string => join(folder, 'annotations.json');

  it('that are not there or no JSON are named', async () => {
    await open({});
    const images = join(folder, 'nowhere');
    await expect(openDetectionDataset({ annotations: annotations(), images })).rejects.toThrow(
      'nowhere: no such file or folder',
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
      { categoryId: 4, name: '4' },
      { categoryId: 9, name: 'b' },
    ]);
    writeFileSync(annotations(), '{}');
    await expect(readDetectionClasses(annotations())).rejects.toThrow(
      'annotations.json: categories: expected a list, received nothing',
    );
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

  it('augments by the seed alone: the same with a thread, and after going on in the middle', async () => {
    const { samples } = await open({
      images: [image(1, 'a', 40, 30), image(2, 'c', 38, 30), image(3, 'b', 30, 40)],
      annotations: [1, 2, 3].map((id) => object(id, { image_id: id })),
    });
    const transform: DetectionTransform = {
      ...TRANSFORM,
      ...{ flip: 0.5, mosaic: 0.5, rotate: 10, photometric: true, copyPaste: { probability: 1, scale: [0.5, 1.5] } },
      largeScaleJitter: [0.5, 2],
    };
    const read = async (workers: number, from: { epoch: number; batch: number }) => {
      const loader = loaderOf(samples, { transform, workers, shuffle: true });
      const found: number[][][] = [];
      for await (const { tensors } of loader.batches({ ...from, untilEpoch: 2 })) {
        found.push(Object.values(tensors).map((tensor) => [...tensor.dataSync()]));
        tf.dispose(tensors);
      }
      await loader.close();
      return found;
    };
    const whole = await read(0, { epoch: 0, batch: 0 });
    expect(whole).toHaveLength(4);
    expect(await read(1, { epoch: 0, batch: 0 })).toEqual(whole);
    expect(await read(0, { epoch: 1, batch: 1 })).toEqual(whole.slice(3));
    expect(whole[0]).not.toEqual(whole[2]);
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
    const { samples } = await open({ images, annotations: [] }, { onBroken: 'skip' });
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
    const { samples } = await open({ images: [image(1, 'a', 41, 30)], annotations: [] }, { onBroken: 'skip' });
    const outcome = prepareSample(samples[0]!, TRANSFORM, [0]);
    await expect(outcome).rejects.toThrow('a.png: expected 41x30 pixels as its labels have, received 40x30');
    await expect(outcome).rejects.toThrow(BrokenImageError); // so that it can be skipped
    writeFileSync(join(folder, 'broken.png'), 'not an image');
    const broken = await open({ images: [image(1, 'broken', 4, 4)], annotations: [] }, { onBroken: 'skip' });
    await expect(prepareSample(broken.samples[0]!, TRANSFORM, [0])).rejects.toThrow(BrokenImageError);
  });
});

describe('EXIF', () => {
  /** 64x48 stored pixels, red where people see the object at the bottom left: turned by a half, or by a quarter. */
  async function photo(orientation: 3 | 6): Promise<string> {
    const data = Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => (i % 3 === 0 ? 40 : 200));
    for (let y = 0; y < 16; y++) for (let x = 40; x < 56; x++) data.set([220, 40, 40], 3 * (y * 64 + x));
    const name = `exif-${orientation}`;
    const bytes = await sharp(data, { raw: { width: 64, height: 48, channels: 3 } }).withMetadata({ orientation }).png().toBuffer(); // prettier-ignore
    writeFileSync(join(folder, `${name}.png`), bytes);
    return name;
  }

  it('is followed: boxes lie on the objects that people see', async () => {
    const images = [image(1, await photo(3), 64, 48)];
    // Stored (40..56, 0..16), turned by a half (8..24, 32..48).
    const annotations = [object(1, { bbox: [8, 32, 16, 16], segmentation: [[8, 32, 24, 32, 24, 48, 8, 48]] })];
    const { samples, notes } = await open({ images, annotations });
    expect(notes.filter((note) => note.includes('EXIF'))).toEqual([]);
    const identity = { mean: [0, 0, 0], std: [1, 1, 1] } as const;
    const transform = { ...TRANSFORM, scales: [{ shortest: 48, longest: 64 }], normalisation: identity };
    const red = async (decode: DetectionTransform['decode']) => {
      const { pixels } = await prepareSample(samples[0]!, decode ? { ...transform, decode } : transform, [0]);
      return [...pixels.slice(3 * (40 * 64 + 16), 3 * (40 * 64 + 16) + 3)];
    };
    expect(await red(undefined)).toEqual([220, 40, 40]);
    expect(await red({ orientation: 'stored' })).toEqual([40, 200, 200]);
  });

  it('is named where a picture would have its annotated size only in the other way', async () => {
    const name = await photo(6);
    const annotations = [object(1)];
    await expect(open({ images: [image(1, name, 64, 48)], annotations })).rejects.toThrow(
      'exif-6.png: expected 64x48 pixels as its labels have, received 48x64; ' +
        'its EXIF orientation is 6, and with data.orientation: stored the size is right',
    );
    await expect(open({ images: [image(1, name, 48, 64)], annotations }, { orientation: 'stored' })).rejects.toThrow(
      'with data.orientation: exif the size is right',
    );
    expect((await open({ images: [image(1, name, 48, 64)], annotations })).samples).toHaveLength(1);
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
