/** Batches of crops for training, images at every ratio for evaluation. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { encodeImage, IMAGENET_NORMALISATION as normalisation, restoreImage } from '@pyramidal/images';
import { evaluationItems, openSegmentationBatches } from './batches';
import type { SegmentationSample } from './folder';
import { encodeLabels } from './label-file';
import { CODING as coding, EVALUATION, makeToySet, type ToySet } from './testing/toy-set';
import { prepareTraining, type TrainingTransform } from './transform';

const training: TrainingTransform = {
  scale: { longest: 96, shortest: 32 },
  ratioRange: [0.5, 2],
  crop: 32,
  catMaxRatio: 0.75,
  flip: 0.5,
  photometric: true,
  normalisation,
};

let toy: ToySet;
let root: string;
let samples: readonly SegmentationSample[];

beforeAll(async () => {
  toy = await makeToySet();
  ({ root, samples } = toy);
});
afterAll(() => toy.remove());

async function collect(workers: number, range = {}, transform = training, bytes = false) {
  const loader = openSegmentationBatches({
    bytes,
    samples,
    coding,
    transform,
    batchSize: 2,
    seed: 4,
    shuffle: true,
    lastBatch: 'drop',
    workers,
  });
  const batches = [];
  for await (const { images, labels, sizes, ...position } of loader.batches(range)) {
    batches.push({
      ...position,
      shapes: [images.shape, labels.shape],
      pixels: images.dataSync(),
      labels: labels.dataSync(),
      sizes: sizes.arraySync(),
    });
    tf.dispose([images, labels, sizes]);
  }
  await loader.close();
  return batches;
}

describe('openSegmentationBatches', () => {
  it('gives crops of one size whose labels move with the pixels, the same from worker threads and after resuming', async () => {
    const before = tf.memory().numTensors;
    const batches = await collect(0, { untilEpoch: 2 });
    expect(batches).toHaveLength(4);
    for (const { shapes, labels } of batches) {
      expect(shapes).toEqual([
        [2, 32, 32, 3],
        [2, 32, 32],
      ]);
      expect([...new Set(labels)].every((value) => [0, 1, 255].includes(value))).toBe(true);
    }
    expect(new Set(batches.flatMap(({ labels }) => [...labels]))).toEqual(new Set([0, 1, 255]));
    expect(await collect(1, { untilEpoch: 2 })).toEqual(batches);
    expect(await collect(0, { epoch: 1, batch: 1, untilEpoch: 2 })).toEqual(batches.slice(3));
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('bytes', () => {
  it('are the same pictures and labels, four values in a number', async () => {
    const [floats, packed] = [await collect(0), await collect(1, {}, training, true)];
    expect(packed).toHaveLength(floats.length);
    packed.forEach(({ shapes, pixels, labels, sizes }, i) => {
      expect(shapes).toEqual([[2, 32, 24], [2, 32, 8]]); // prettier-ignore
      expect(sizes).toEqual(floats[i]!.sizes);
      expect([...new Uint8Array(labels.slice().buffer)]).toEqual([...floats[i]!.labels]);
      const { data } = restoreImage(floats[i]!.pixels as Float32Array, { width: 32, height: 64 }, normalisation);
      const isImage = (at: number): boolean => {
        const [height, width] = sizes[at < data.length / 2 ? 0 : 1] as [number, number];
        const pixel = Math.floor(at / 3);
        return pixel % 32 < width && Math.floor(pixel / 32) % 32 < height;
      };
      expect(new Uint8Array(pixels.slice().buffer)).toEqual(data.map((value, at) => (isImage(at) ? value : 0)));
    });
    expect(floats.some(({ sizes }) => sizes.flat().some((side) => side < 32))).toBe(true);
  });

  it('are none where CutMix joins images', async () => {
    const mixing = { ...training, cutMix: 0.5 };
    expect(await collect(0, {}, mixing, true)).toEqual(await collect(0, {}, mixing));
  });
});

describe('rotation and CutMix', () => {
  const plain = { ...training, photometric: false, flip: 0.5, ratioRange: [1, 1.5] as const };
  const turning = { ...plain, rotate: 20, cutMix: 0.5 };

  it('draw by the seed alone: the same from worker threads and after resuming', async () => {
    const batches = await collect(0, { untilEpoch: 2 }, turning);
    expect(await collect(1, { untilEpoch: 2 }, turning)).toEqual(batches);
    expect(await collect(0, { epoch: 1, batch: 1, untilEpoch: 2 }, turning)).toEqual(batches.slice(3));
    expect(batches).not.toEqual(await collect(0, { untilEpoch: 2 }, plain));
  });

  it('keep labels under their pixels', async () => {
    // The picture shows its labels: class 0 dark, class 1 bright.
    const side = 48;
    const data = Uint8Array.from({ length: side * side }, (_, i) => Number((i % side) + Math.floor(i / side) > 50));
    const pairs = await Promise.all(
      [0, 1].map(async (inverse) => {
        const [image, label] = [join(root, `shown-${inverse}.png`), join(root, `shown-label-${inverse}.png`)];
        const map = data.map((value) => value ^ inverse);
        const pixels = Uint8Array.from({ length: 3 * map.length }, (_, i) => 250 * map[Math.floor(i / 3)]!);
        await writeFile(image, await encodeImage({ data: pixels, width: side, height: side }, 'png'));
        await writeFile(label, await encodeLabels({ data: map, width: side, height: side }, coding));
        return { name: `shown-${inverse}.png`, image, label };
      }),
    );
    const transform = { ...turning, catMaxRatio: 1, cutMix: 1 };
    let unlabelled = 0;
    for (let seed = 0; seed < 20; seed++) {
      const { pixels, labels } = await prepareTraining(pairs[0]!, coding, transform, [seed], pairs[1]!);
      const wrong = labels.reduce((sum, label, i) => sum + Number(label !== 255 && label !== Number(pixels[3 * i]! > 0)), 0); // prettier-ignore
      expect(wrong / labels.length).toBeLessThan(0.06);
      unlabelled += labels.reduce((sum, label) => sum + Number(label === 255), 0);
    }
    expect(unlabelled).toBeGreaterThan(0);
  });

  it('put a rectangle of the other image into this one, whole and nothing else', async () => {
    const transform = { ...plain, flip: 0, cutMix: 1 };
    const [own, other] = samples as readonly [SegmentationSample, SegmentationSample];
    const alone = await prepareTraining(own, coding, { ...transform, cutMix: 0 }, [3], other);
    const mixed = await prepareTraining(own, coding, transform, [3], other);
    const changed = Array.from(mixed.labels.keys()).filter((i) => [0, 1, 2].some((c) => mixed.pixels[3 * i + c] !== alone.pixels[3 * i + c])); // prettier-ignore
    const [xs, ys] = [changed.map((i) => i % 32), changed.map((i) => Math.floor(i / 32))];
    const [width, height] = [xs, ys].map((values) => Math.max(...values) - Math.min(...values) + 1);
    expect(changed.length).toBe(width! * height!);
  });
});

describe('evaluationItems', () => {
  it('gives every image at every ratio, with its label at its own size', async () => {
    const seen = [];
    for await (const item of evaluationItems({ samples, coding, transform: EVALUATION })) seen.push(item);
    expect(seen.map(({ image }) => image)).toEqual(samples.map(({ image }) => image));
    const { scaled, labels, original } = seen[0]!;
    expect(scaled.map(({ width, height }) => [width, height])).toEqual([
      [43, 32],
      [64, 48],
    ]);
    expect(scaled[1]!.pixels).toHaveLength(64 * 48 * 3);
    expect(original).toEqual({ width: 40, height: 30 });
    expect([labels.data[0], labels.data[40], labels.data[79]]).toEqual([255, 0, 1]);
  });

  it('refuses a label of another size than its image', async () => {
    const wrong = { ...samples[0]!, label: join(root, 'small.png') };
    await writeFile(wrong.label, await encodeLabels({ data: new Uint8Array(6), width: 3, height: 2 }, coding));
    const items = evaluationItems({ samples: [wrong], coding, transform: EVALUATION });
    await expect(items.next()).rejects.toThrow(/: expected 3x2 pixels as .*small\.png has, received 40x30$/);
  });
});
