/** Label files: what is read, what is refused, what is counted. */
import { mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blankImage, encodeImage } from '@pyramidal/images';
import { dataFolder, describeWith } from '@pyramidal/testing';
import sharp from 'sharp';
import { evaluationItems } from './batches';
import { countPixels } from './class-pixels';
import { ade20kClasses } from './classes';
import { colourTable } from './colour-table';
import { openSegmentationFolder, type SegmentationSample } from './folder';
import { encodeLabels, readLabels, readStoredLabels } from './label-file';
import { surveyLabels } from './label-survey';
import { palettePng } from './testing/palette-png';
import { CODING as coding, EVALUATION, makeToySet, type ToySet } from './testing/toy-set';

let toy: ToySet;
let root: string;
let samples: readonly SegmentationSample[];

beforeAll(async () => {
  toy = await makeToySet();
  ({ root, samples } = toy);
});
afterAll(() => toy.remove());

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
    const own = { ...map, data: Uint8Array.from(map.data) };
    expect(await readFile(file)).toEqual(await encodeLabels(own, coding, { overwrite: true }));
    await expect(readLabels(file, coding)).rejects.toThrow(
      'wrong.png: expected label values from 0 to 3 or 255 for 3 classes, received 4 at (1, 1)',
    );
    await expect(readLabels(file, { classes: 4, reduceZeroLabel: false })).rejects.toThrow(
      'received 4 at (1, 1); if 0 is unlabelled, set data.reduceZeroLabel: true',
    );
  });

  it('a truncated label, a missing label, an empty split, a split that is not there', async () => {
    const open = (...splits: string[]) => openSegmentationFolder(root, { splits });
    await toy.writePair('broken', 'x', 1);
    const file = join(root, 'annotations/broken/x.png');
    await truncate(file, 60);
    await expect(readLabels(file, coding)).rejects.toThrow(/x\.png: cannot be decoded/);
    await truncate(file, 700 << 20);
    await expect(readLabels(file, coding)).rejects.toThrow(
      `${file}: cannot be decoded: has 734003200 bytes, expected at most 250000000`,
    );
    await rm(file);
    await mkdir(file);
    await expect(readLabels(file, coding)).rejects.toThrow(`${file}: cannot be decoded: is a folder, expected a file`);
    await rm(file, { recursive: true });
    await expect(open('broken')).rejects.toThrow(/x\.png: no such file, expected a label for .*x\.jpg/);
    await mkdir(join(root, 'images/empty'), { recursive: true });
    await expect(open('empty')).rejects.toThrow(/images.empty: split 'empty' has no images/);
    await expect(open('nowhere')).rejects.toThrow(/nowhere: no such folder/);
    await symlink('circle', join(root, 'images/circle'));
    await expect(open('circle')).rejects.toThrow(/images.circle: symbolic links lead in a circle/);
    await writeFile(join(root, 'images/file'), '');
    await expect(open('file')).rejects.toThrow(/images.file: a part of the path is not a folder/);
    await expect(readLabels(label('none.png'), coding)).rejects.toThrow(
      /none\.png: cannot be decoded: no such file or folder/,
    );
  });
});

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

it('counts the pixels of each class, and passes over broken labels where such are skipped', async () => {
  const counted = (samples: readonly SegmentationSample[], onBroken: 'fail' | 'skip' = 'fail') =>
    countPixels({ name: 'some', samples, notes: [] }, coding, onBroken);
  // 40 of 1200 pixels are unlabelled, the rest is one half each.
  expect(await counted(samples.slice(0, 2))).toEqual([1160, 1160, 0]);
  const gone = { ...samples[0]!, label: join(root, 'gone.png') };
  await expect(counted([gone, samples[1]!])).rejects.toThrow('gone.png');
  expect(await counted([gone, samples[1]!], 'skip')).toEqual([580, 580, 0]);
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
    for await (const _ of evaluationItems({ ...options, transform: EVALUATION })) images++;
    expect(images).toBe(20);
  });
});
