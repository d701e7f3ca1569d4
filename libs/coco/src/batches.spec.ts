/** Batches of detection samples: their canvases, their order, and what happens to odd and broken images. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BrokenImageError, type PixelTensor, restoreImage } from '@pyramidal/images';
import type { BatchSource } from '@pyramidal/loading';
import { openRuntime } from '@pyramidal/runtime';
import { dataFolder, describeWith, expectNoLeaks } from '@pyramidal/testing';
import sharp from 'sharp';
import * as tf from '@tensorflow/tfjs-core';
import { type DetectionBatch, openDetectionBatches, type DetectionBatchesOptions } from './batches';
import { type DetectionSample, openDetectionDataset } from './dataset';
import { prepareSample, type DetectionTransform } from './prepare';
import { image, makeToyFolder, object, type ToyFolder, TRANSFORM } from './testing/toy-folder';

let toy: ToyFolder;
let folder: string;
let open: ToyFolder['open'];

beforeAll(async () => {
  await openRuntime({ engine: 'cpu' });
  toy = await makeToyFolder();
  ({ folder, open } = toy);
});
afterAll(() => toy.remove());

describe('openDetectionBatches', () => {
  const loaderOf = (
    samples: readonly DetectionSample[],
    options: Partial<DetectionBatchesOptions> = {},
  ): BatchSource<DetectionBatch<PixelTensor>> =>
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

  it('leaves pixels bytes where it is told to: the same pictures', async () => {
    const images = [image(1, 'a', 40, 30), image(2, 'c', 38, 30)];
    const { samples } = await open({ images, annotations: [object(1), object(2, { image_id: 2 })] });
    const read = async (bytes: boolean) => {
      const found = [];
      const loader = loaderOf(samples, { transform: { ...TRANSFORM, flip: 1 }, bytes });
      for await (const { tensors } of loader.batches()) {
        const { images, sizes } = tensors;
        found.push({ shape: images.shape, values: images.dataSync(), sizes: [...sizes.dataSync()] });
        tf.dispose(tensors);
      }
      return found;
    };
    const [[floats], [packed]] = [await read(false), await read(true)];
    expect([floats!.shape, packed!.shape]).toEqual([[2, 64, 96, 3], [2, 64, 72]]); // prettier-ignore
    expect(packed!.sizes).toEqual(floats!.sizes);
    const bytes = new Uint8Array(packed!.values.slice().buffer);
    const canvas = { width: 96, height: 128 };
    const restored = restoreImage(floats!.values as Float32Array, canvas, TRANSFORM.normalisation).data;
    const isInside = (i: number): boolean => Math.floor(i / 3) % 96 < (i < bytes.length / 2 ? 85 : 81);
    expect(bytes).toEqual(restored.map((value, i) => (isInside(i) ? value : 0)));
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

  it('has few canvases in training, whatever is cropped', async () => {
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
