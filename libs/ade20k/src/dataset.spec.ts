import { mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { blankImage, encodeImage, IMAGENET_NORMALISATION as normalisation } from '@pyramidal/images';
import { dataFolder, describeWith } from '@pyramidal/testing';
import sharp from 'sharp';
import { evaluationItems, openSegmentationBatches } from './batches';
import { countPixels } from './class-pixels';
import { ade20kClasses } from './classes';
import { colourTable } from './colour-table';
import { openSegmentationFolder, partOfSplit, type SegmentationSample } from './folder';
import { encodeLabels, readLabels, readStoredLabels } from './label-file';
import { surveyLabels } from './label-survey';
import { prepareTraining, type TrainingTransform } from './transform';

const coding = { classes: 3, reduceZeroLabel: true };
const training: TrainingTransform = {
  scale: { longest: 96, shortest: 32 },
  ratioRange: [0.5, 2],
  crop: 32,
  catMaxRatio: 0.75,
  flip: 0.5,
  photometric: true,
  normalisation,
};
const evaluation = { scale: { longest: 96, shortest: 32 }, ratios: [1, 1.5], normalisation };

let root: string;
let samples: readonly SegmentationSample[];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ade20k-'));
  await writeFile(join(root, 'classes.json'), JSON.stringify(['a', { name: 'b', colour: [1, 2, 3] }, 'c']));
  for (let i = 0; i < 5; i++) await writePair('training', `${i}`, i);
  ({ samples } = (await openSegmentationFolder(root, { splits: ['training'] })).splits.get('training')!);
});
afterAll(() => rm(root, { recursive: true }));

/** A picture of 40 x 30, its left part class 1, its right part class 2, the first row unlabelled. */
async function writePair(split: string, name: string, shade: number): Promise<void> {
  await mkdir(join(root, 'images', split), { recursive: true });
  await mkdir(join(root, 'annotations', split), { recursive: true });
  const picture = blankImage({ width: 40, height: 30 }, [40 * shade, 100, 255 - 40 * shade]);
  await writeFile(join(root, 'images', split, `${name}.jpg`), await encodeImage(picture, 'jpeg'));
  const data = Uint8Array.from({ length: 1200 }, (_, i) => (i < 40 ? 255 : i % 40 < 20 ? 0 : 1));
  await writeFile(
    join(root, 'annotations', split, `${name}.png`),
    await encodeLabels({ data, width: 40, height: 30 }, coding),
  );
}

async function collect(workers: number, range = {}, transform = training) {
  const loader = openSegmentationBatches({
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
  for await (const { images, labels, ...position } of loader.batches(range)) {
    batches.push({
      ...position,
      shapes: [images.shape, labels.shape],
      pixels: images.dataSync(),
      labels: labels.dataSync(),
    });
    tf.dispose([images, labels]);
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

(process.platform === 'win32' ? it.skip : it)('takes folders and files behind links', async () => {
  const linked = await mkdtemp(join(tmpdir(), 'linked-'));
  for (const kind of ['images', 'annotations']) {
    await mkdir(join(linked, kind, 'one'), { recursive: true });
    await symlink(join(root, kind, 'training'), join(linked, kind, 'all'));
    const file = `3.${kind === 'images' ? 'jpg' : 'png'}`;
    await symlink(join(root, kind, 'training', file), join(linked, kind, 'one', file));
  }
  const { splits } = await openSegmentationFolder(linked, { splits: ['all', 'one'] });
  expect([...splits.values()].map((split) => split.samples.length)).toEqual([5, 1]);
  await rm(linked, { recursive: true });
});

describe('evaluationItems', () => {
  it('gives every image at every ratio, with its label at its own size', async () => {
    const seen = [];
    for await (const item of evaluationItems({ samples, coding, transform: evaluation })) seen.push(item);
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
});

describe('what is wrong is told in one line', () => {
  const label = (name: string): string => join(root, 'annotations/training', name);
  const grey = (value: number) =>
    ({ create: { width: 4, height: 4, channels: 3, background: { r: value, g: value, b: value } } }) as const;

  it.each<[string, () => Promise<Buffer>, string]>([
    [
      '16-bit',
      () =>
        sharp(new Uint16Array(16), { raw: { width: 4, height: 4, channels: 1, depth: 'ushort' } as never })
          .toColourspace('grey16')
          .png()
          .toBuffer(),
      '16-bit grey',
    ],
    ['colour', () => sharp(grey(7)).png().toBuffer(), '8-bit colour'],
    ['JPEG', () => sharp(grey(7)).jpeg().toBuffer(), 'another format'],
  ])('a %s label', async (_, make, received) => {
    const file = join(root, 'wrong.png');
    await writeFile(file, await make());
    await expect(readLabels(file, coding)).rejects.toThrow(
      new RegExp(`wrong\\.png: expected an 8-bit grey or palette PNG as label, received .*${received}`),
    );
  });

  it('a label value above the class count', async () => {
    const file = join(root, 'wrong.png');
    const map = { data: Uint8Array.of(0, 1, 2, 3), width: 2, height: 2 };
    await writeFile(file, await encodeLabels(map, coding));
    await expect(readLabels(file, coding)).rejects.toThrow(
      'wrong.png: expected label values from 0 to 3 or 255 for 3 classes, received 4 at (1, 1)',
    );
    await expect(readLabels(file, { classes: 4, reduceZeroLabel: false })).rejects.toThrow(
      'received 4 at (1, 1); if 0 is unlabelled, set data.reduceZeroLabel: true',
    );
  });

  it('a label of another size than its image', async () => {
    const wrong = { ...samples[0]!, label: join(root, 'small.png') };
    await writeFile(wrong.label, await encodeLabels({ data: new Uint8Array(6), width: 3, height: 2 }, coding));
    const items = evaluationItems({ samples: [wrong], coding, transform: evaluation });
    await expect(items.next()).rejects.toThrow(/: expected 3x2 pixels as .*small\.png has, received 40x30$/);
  });

  it('a truncated label, a missing label, an empty split, a split that is not there', async () => {
    const open = (...splits: string[]) => openSegmentationFolder(root, { splits });
    await writePair('broken', 'x', 1);
    const file = join(root, 'annotations/broken/x.png');
    await truncate(file, 60);
    await expect(readLabels(file, coding)).rejects.toThrow(/x\.png: cannot be decoded/);
    await rm(file);
    await expect(open('broken')).rejects.toThrow(/x\.png: no such file, expected a label for .*x\.jpg/);
    await mkdir(join(root, 'images/empty'), { recursive: true });
    await expect(open('empty')).rejects.toThrow(/images.empty: split 'empty' has no images/);
    await expect(open('nowhere')).rejects.toThrow(/nowhere: no such folder/);
    await expect(readLabels(label('none.png'), coding)).rejects.toThrow(
      /none\.png: cannot be decoded: no such file or folder/,
    );
  });

  it.each([
    ['{', /classes\.json: is not JSON/],
    ['[]', /expected a list of 2 to 255 classes, received 0/],
    ['["wall"]', /expected a list of 2 to 255 classes, received 1/],
    ['["a", 3]', /received 3 as entry 1/],
    ['[{ "name": "a", "colour": [1, 2, 300] }, "b"]', /as entry 0/],
  ])('a class list of %s', async (text, message) => {
    const classList = join(root, 'wrong-classes.json');
    await writeFile(classList, text);
    await expect(openSegmentationFolder(root, { splits: ['training'], classList })).rejects.toThrow(message);
  });
});

/** A PNG with a palette, of as few bits as its indices need. */
function palettePng(indices: readonly number[], width: number, depth: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    crc.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, crc]);
  };
  const height = indices.length / width;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, 3], 8);
  const rows = Array.from({ length: height }, (_, y) => {
    const row = Buffer.alloc(1 + Math.ceil((width * depth) / 8));
    for (let x = 0; x < width; x++) {
      row[1 + ((x * depth) >> 3)]! |= indices[y * width + x]! << (8 - depth - ((x * depth) & 7));
    }
    return row;
  });
  const colours = Buffer.from(Array.from({ length: 3 * 2 ** depth }, (_, i) => (i * 37) % 256));
  return Buffer.concat([
    ...[Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', header), chunk('PLTE', colours)],
    ...[chunk('tRNS', Buffer.of(0)), chunk('IDAT', deflateSync(Buffer.concat(rows))), chunk('IEND', Buffer.alloc(0))],
  ]);
}

it.each([1, 2, 4, 8])('reads the indices of a palette of %d bits, not its colours', async (depth) => {
  const indices = Array.from({ length: 30 }, (_, i) => i % Math.min(2 ** depth, 20));
  const file = join(root, 'palette.png');
  await writeFile(file, palettePng(indices, 5, depth));
  expect(await readStoredLabels(file)).toEqual({
    data: Uint8Array.from(indices),
    width: 5,
    height: 6,
    isPalette: true,
  });
});

describe('surveyLabels', () => {
  const options = { coding, orientation: 'exif', onBroken: 'fail' } as const;
  const classes = ['a', 'b', 'c'].map((name) => ({ name, colour: [0, 0, 0] as const }));
  const folder = () => ({ root, isDefaultClasses: false, classes });
  const ade20k = () => ({ root, isDefaultClasses: true, classes: ade20kClasses() });
  let number = 0;

  /** A split of one image with these stored values. */
  async function splitOf(values: readonly number[], { width = values.length, extension = 'png' } = {}) {
    const name = `survey-${number++}`;
    const [image, label] = [join(root, `${name}.jpg`), join(root, `${name}.${extension}`)];
    const size = { width, height: values.length / width };
    await writeFile(image, await encodeImage(blankImage({ width: values.length, height: 1 }), 'jpeg'));
    await writeFile(label, await encodeLabels({ data: Uint8Array.from(values), ...size }, { classes: 255, reduceZeroLabel: false })); // prettier-ignore
    return { name, samples: [{ name, image, label }], notes: [] };
  }

  it('says what trains, and nothing else of labels as the settings say', async () => {
    const split = await splitOf([0, 1, 2, 3, 255, 3, 3, 0]);
    expect(await surveyLabels(folder(), split, options)).toEqual([
      `${split.name}: 1 labels hold 3 of 3 classes: c 37.5%, a 12.5%, b 12.5%; 37.5% unlabelled`,
    ]);
    const from0 = { ...options, coding: { classes: 3, reduceZeroLabel: false } };
    const other = await splitOf([0, 2, 2, 2]);
    expect(await surveyLabels(folder(), other, from0)).toEqual([
      `${other.name}: 1 labels hold 2 of 3 classes: c 75.0%, a 25.0%; 0.0% unlabelled; never: b`,
    ]);
  });

  it('names the setting where labels look as if they began with class 0', async () => {
    const split = await splitOf([0, 1, 2]);
    expect(await surveyLabels(folder(), split, options)).toEqual([
      expect.stringContaining('never: c'),
      `${split.name}: labels hold values 0 to 2 for 3 classes, and 0 counts as unlabelled; ` +
        'if 0 is the first class, set data.reduceZeroLabel: false',
    ]);
  });

  it("says that ADE20K's classes are learned where no list names others", async () => {
    const split = await splitOf([0, 1, 2]);
    const ade = { ...options, coding: { classes: 150, reduceZeroLabel: true } };
    expect(await surveyLabels(ade20k(), split, ade)).toEqual([
      expect.stringMatching(
        /hold 2 of 150 classes: wall 33.3%, building 33.3%; .*; never: sky, floor, .* and 140 more$/,
      ),
      expect.stringContaining('labels hold values up to 2, and without'),
    ]);
    expect(await surveyLabels(ade20k(), await splitOf([0, 120]), ade)).toHaveLength(1);
  });

  it('refuses labels without a class, values that are none, and another size, before a run', async () => {
    await expect(surveyLabels(folder(), await splitOf([0, 255]), options)).rejects.toThrow(
      'expected labels with a class, received pixels of 0 or 255, which are unlabelled (data.reduceZeroLabel: true) alone',
    );
    await expect(surveyLabels(folder(), await splitOf([1, 4]), options)).rejects.toThrow(
      'expected label values from 0 to 3 or 255 for 3 classes, received 4 at (1, 0)',
    );
    await expect(surveyLabels(folder(), await splitOf([1, 2, 1, 2], { width: 2 }), options)).rejects.toThrow(
      /expected 2x2 pixels as .*survey-\d+\.png has, received 4x1/,
    );
  });

  it('counts palettes, and passes over broken labels where such are skipped', async () => {
    const split = await splitOf([1, 2, 1]);
    await writeFile(split.samples[0]!.label, palettePng([1, 2, 1], 3, 8));
    expect(await surveyLabels(folder(), split, options)).toEqual([
      expect.stringContaining('1 labels hold 2 of 3 classes'),
      `${split.name}: 1 of 1 labels have a palette; its indices are read, not its colours`,
    ]);
    const broken = {
      ...split,
      samples: [...split.samples, { name: 'x', image: 'x.jpg', label: join(root, 'gone.png') }],
    };
    await expect(surveyLabels(folder(), broken, options)).rejects.toThrow('gone.png');
    expect(await surveyLabels(folder(), broken, { ...options, onBroken: 'skip' })).toEqual([
      expect.stringContaining('1 of 2 labels, the ones looked at, hold'),
      expect.stringContaining('palette'),
    ]);
  });
});

describe('labels as colours', () => {
  const colours = { unlabelled: '#000000', road: '#804080', sky: '#4682B4' };
  const table = colourTable(colours);
  const file = () => join(root, 'colours.png');
  const rgb = (text: string) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
  const paint = async (...names: string[]) => {
    const data = Uint8Array.from(names.flatMap(rgb));
    await writeFile(file(), await encodeImage({ data, width: names.length, height: 1 }, 'png'));
  };

  it('are read by their table, in the order of its classes', async () => {
    await paint('#4682b4', '#804080', '#000000', '#804080');
    const { data } = await readLabels(file(), { classes: 2, reduceZeroLabel: true, colours: table });
    expect([...data]).toEqual([1, 0, 255, 0]);
    const { classes } = await openSegmentationFolder(root, { splits: ['training'], colours });
    expect(classes).toEqual([{ name: 'road', colour: [128, 64, 128] }, { name: 'sky', colour: [70, 130, 180] }]); // prettier-ignore
  });

  it('are surveyed as classes', async () => {
    await paint('#804080', '#804080', '#000000', '#804080');
    const image = join(root, 'colours.jpg');
    await writeFile(image, await encodeImage(blankImage({ width: 4, height: 1 }), 'jpeg'));
    const coding = { classes: 2, reduceZeroLabel: true, colours: table };
    const { classes } = await openSegmentationFolder(root, { splits: ['training'], colours });
    const split = { name: 'x', samples: [{ name: 'colours', image, label: file() }], notes: [] };
    expect(
      await surveyLabels({ root, isDefaultClasses: false, classes }, split, {
        coding,
        orientation: 'exif',
        onBroken: 'fail',
      }),
    ).toEqual(['x: 1 labels hold 1 of 2 classes: road 75.0%; 25.0% unlabelled; never: sky']);
  });

  it('are refused where the table does not have them, or has them twice', async () => {
    await paint('#804080', '#804081');
    await expect(readLabels(file(), { classes: 2, reduceZeroLabel: true, colours: table })).rejects.toThrow(
      "colours.png: expected colours of data.colours, received #804081 at (1, 0); give it to a class, or to 'unlabelled'",
    );
    expect(() => colourTable({ a: '#000001', b: '#000001' })).toThrow(
      "data.colours: expected a colour of its own for 'b', 'a' has #000001 too",
    );
  });
});

it('finds images in folders of a split, and their labels in folders of the same names', async () => {
  await writePair('nested', 'b', 0);
  await writePair('nested/town one', 'b', 1);
  await writePair('nested/town one/ünal', 'a', 2);
  await writePair('nested/.trash', 'c', 3);
  const { samples } = (await openSegmentationFolder(root, { splits: ['nested'] })).splits.get('nested')!;
  expect(samples.map(({ name }) => name)).toEqual(['b', 'town one/b', 'town one/ünal/a']);
  expect(samples[2]).toMatchObject({
    image: join(root, 'images/nested/town one/ünal/a.jpg'),
    label: join(root, 'annotations/nested/town one/ünal/a.png'),
  });
  const items = evaluationItems({ samples, coding, transform: evaluation });
  for await (const { original } of items) expect(original).toEqual({ width: 40, height: 30 });
});

it('holds a share out by the names of the images, the same wherever the data lies', async () => {
  for (let i = 0; i < 8; i++) await writePair('whole', `${i}`, i);
  const split = (await openSegmentationFolder(root, { splits: ['whole'] })).splits.get('whole')!;
  const namesOf = (take: 'training' | 'validation') =>
    partOfSplit(split, { share: 0.25, seed: 1, take }).samples.map(({ name }) => name);
  expect(namesOf('validation')).toHaveLength(2);
  expect([...namesOf('validation'), ...namesOf('training')].sort()).toEqual(split.samples.map(({ name }) => name));
  const moved = split.samples.map((sample) => ({ ...sample, image: `/elsewhere/${sample.name}` })).reverse();
  const again = partOfSplit({ ...split, samples: moved }, { share: 0.25, seed: 1, take: 'validation' });
  expect(again.samples.map(({ name }) => name).sort()).toEqual(namesOf('validation'));
});

it('counts the pixels of each class, and passes over broken labels where such are skipped', async () => {
  const counted = (samples: readonly SegmentationSample[], onBroken: 'fail' | 'skip' = 'fail') =>
    countPixels({ name: 'some', samples, notes: [] }, coding, onBroken);
  // 40 of 1200 pixels are unlabelled, the rest is one half each.
  expect(await counted(samples.slice(0, 2))).toEqual([1160, 1160, 0]);
  const gone = { ...samples[0]!, label: join(root, 'gone.png') };
  await expect(counted([gone, samples[1]!])).rejects.toThrow('gone.png');
  expect(await counted([gone, samples[1]!], 'skip')).toEqual([580, 580, 0]);
});

it('counts files that are left out of a split', async () => {
  await writePair('leftovers', 'x', 1);
  await writeFile(join(root, 'images/leftovers/y.bmp'), 'BM');
  await writeFile(join(root, 'annotations/leftovers/z.png'), '');
  const { splits } = await openSegmentationFolder(root, { splits: ['leftovers'] });
  expect(splits.get('leftovers')!.notes).toEqual([
    `${join(root, 'images/leftovers')}: 1 files are no images that are read, the first one y.bmp`,
    `${join(root, 'annotations/leftovers')}: 1 files are labels of no image, the first one z.png`,
  ]);
});

it('reads a class list with a byte order mark', async () => {
  const classList = join(root, 'bom.json');
  await writeFile(classList, '\ufeff["a", "b"]');
  const { classes } = await openSegmentationFolder(root, { splits: ['training'], classList });
  expect(classes.map(({ name }) => name)).toEqual(['a', 'b']);
});

it('writes labels that it reads back', async () => {
  const file = join(root, 'written.png');
  const map = { data: Uint8Array.of(0, 2, 255, 1), width: 2, height: 2 };
  for (const reduceZeroLabel of [true, false]) {
    await writeFile(file, await encodeLabels(map, { classes: 3, reduceZeroLabel }));
    expect(await readLabels(file, { classes: 3, reduceZeroLabel })).toEqual(map);
    expect([...(await readStoredLabels(file)).data]).toEqual(reduceZeroLabel ? [1, 3, 0, 2] : [0, 2, 255, 1]);
  }
});

describeWith(dataFolder(), 'real labels', (folder) => {
  /** Pixel counts by stored value. */
  const COUNTS: Readonly<Record<string, Readonly<Record<number, number>>>> = {
    'training/ADE_train_00000036.png': {
      ...{ 0: 4397, 1: 20830, 4: 9803, 6: 5926, 9: 6400, 19: 4198, 20: 334, 23: 874, 28: 1160, 29: 5300 },
      ...{ 38: 9471, 48: 4662, 66: 1126, 67: 231, 82: 754, 136: 134 },
    },
    'validation/ADE_val_00000001.png': {
      ...{ 0: 3613, 1: 14538, 2: 123406, 3: 134492, 5: 8784, 7: 1755, 10: 53099, 18: 10009 },
    },
  };

  it.each(Object.entries(COUNTS))('%s is read value by value', async (name, counts) => {
    const file = join(folder, 'ade20k/annotations', name);
    const stored = await readStoredLabels(file);
    const found: Record<number, number> = {};
    for (const value of stored.data) found[value] = (found[value] ?? 0) + 1;
    expect(found).toEqual(counts);
    const classes = await readLabels(file, { classes: 150, reduceZeroLabel: true });
    expect(classes.data.filter((value) => value === 255)).toHaveLength(counts[0]!);
  });

  it('has the names of the official list', async () => {
    const list = JSON.parse(await readFile(join(folder, 'lists/ade20k150.json'), 'utf8')) as { name: string }[];
    expect(ade20kClasses().map(({ name }) => name)).toEqual(list.map(({ name }) => name));
  });

  it('reads every pair of the COCO-derived set', async () => {
    const { splits } = await openSegmentationFolder(join(folder, 'coco-semantic'), {
      splits: ['training', 'validation'],
    });
    expect([...splits.values()].map((split) => split.samples.length)).toEqual([40, 20]);
    const options = { samples: splits.get('validation')!.samples, coding: { classes: 80, reduceZeroLabel: true } };
    let images = 0;
    for await (const _ of evaluationItems({ ...options, transform: evaluation })) images++;
    expect(images).toBe(20);
  });
});
