/** Masks of classes in ADE20K's layout. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSegmentationFolder, readLabels } from '@pyramidal/ade20k';
import { encodeImage } from '@pyramidal/images';
import sharp from 'sharp';
import { run } from './cli/run';
import { convertMasks, readColours } from './masks';
import { pictureOf, removeTemporaryFolders, temporaryFolder, writeFiles } from './testing/sets';

afterEach(removeTemporaryFolders);

const COLOURS = { unlabelled: '#000000', Straße: '#804080', Himmel: '#4682b4' };
const PIXELS = ['#804080', '#4682b4', '#000000', '#4682b4', '#4682b4', '#4682b4'];

const paint = (pixels: readonly string[]): Promise<Buffer> =>
  encodeImage({ data: Uint8Array.from(pixels.flatMap((text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)))), width: 3, height: 2 }, 'png'); // prettier-ignore

async function setOf(masks: Readonly<Record<string, Uint8Array>>, images: readonly string[]) {
  const folder = temporaryFolder();
  writeFiles(join(folder, 'masks'), masks);
  for (const name of images) writeFiles(join(folder, 'images'), { [name]: await pictureOf({ width: 3, height: 2 }) });
  return {
    folder,
    options: { source: join(folder, 'masks'), images: join(folder, 'images'), out: join(folder, 'out') },
  };
}

/** Labels of what was written, as ADE20K's layout means them. */
async function labelsOf(out: string) {
  const { classes, splits } = await openSegmentationFolder(out, { splits: ['training'] });
  const { samples } = splits.get('training')!;
  const coding = { classes: classes.length, reduceZeroLabel: true };
  return {
    classes,
    labels: await Promise.all(samples.map(async ({ label }) => [...(await readLabels(label, coding)).data])),
  };
}

describe('convertMasks', () => {
  it('takes colours to classes', async () => {
    const { options } = await setOf({ 'x/ä.png': await paint(PIXELS) }, ['x/ä.png']);
    const { images, pixels, unlabelled } = await convertMasks({ ...options, colours: COLOURS });
    expect([images, ...pixels.values(), unlabelled]).toEqual([1, 1, 4, 1]);
    const { classes, labels } = await labelsOf(options.out);
    expect(classes).toEqual([{ name: 'Straße', colour: [128, 64, 128] }, { name: 'Himmel', colour: [70, 130, 180] }]); // prettier-ignore
    expect(labels).toEqual([[0, 1, 255, 1, 1, 1]]);
    expect(readdirSync(join(options.out, 'images/training'))).toEqual(['x_ä.png']);
  });

  it('takes indices of palettes and grey values as they are', async () => {
    const palette = await sharp(await paint(PIXELS))
      .png({ palette: true, colours: 4 })
      .toBuffer();
    const grey = await sharp(Uint8Array.of(0, 1, 255, 2, 2, 2), { raw: { width: 3, height: 2, channels: 1 } }).toColourspace('b-w').png().toBuffer(); // prettier-ignore
    const { options } = await setOf({ 'a.png': grey, 'b.png': palette }, ['a.png', 'b.png']);
    await convertMasks({ ...options, classes: ['a', 'b', 'c'] });
    const { labels } = await labelsOf(options.out);
    expect(labels[0]).toEqual([0, 1, 255, 2, 2, 2]);
    expect([labels[1]![1], new Set(labels[1]).size]).toEqual([labels[1]![3], 3]);
  });

  it('names masks and images without a partner, and keeps nothing then', async () => {
    const mask = await paint(PIXELS);
    const { folder, options } = await setOf({ 'a.png': mask, 'b.png': mask }, ['a.png', 'c.png']);
    await expect(convertMasks({ ...options, colours: COLOURS })).rejects.toThrow(
      /image: there is none of this name; the first: .*b\.png, and 1 more reasons/,
    );
    expect(readdirSync(folder).sort()).toEqual(['images', 'masks']);
    expect((await convertMasks({ ...options, colours: COLOURS, allowLoss: true })).images).toBe(1);
  });

  it('names file, place and colour of what is no class', async () => {
    const { options } = await setOf({ 'a.png': await paint(['#010203', ...PIXELS.slice(1)]) }, ['a.png']);
    await expect(convertMasks({ ...options, colours: COLOURS })).rejects.toThrow(
      /a\.png: .*received #010203 at \(0, 0\)/,
    );
    await expect(convertMasks(options)).rejects.toThrow(/expected at least 2 classes/);
  });

  it('is a command', async () => {
    const { folder, options } = await setOf({ 'a.png': await paint(PIXELS) }, ['a.png']);
    const file = join(folder, 'labelmap.txt');
    writeFiles(folder, {
      'labelmap.txt':
        '# label:color_rgb:parts:actions\nStraße:128,64,128::\nHimmel:70,130,180::\nunlabelled:0,0,0::\nBaum:1,1,1::\n',
    });
    const lines: string[] = [];
    expect(
      await run(['masks', options.source, options.out, '--images', options.images, '--colours', file], (line) =>
        lines.push(line),
      ),
    ).toBe(0);
    expect(lines).toEqual([`${options.out}: 1 images: Straße 16.7%, Himmel 66.7%, Baum never, unlabelled 16.7%`]);
    expect(JSON.parse(readFileSync(join(options.out, 'classes.json'), 'utf8'))).toHaveLength(3);
  });
});

describe('readColours', () => {
  it('reads YAML, JSON and the lists of CVAT, and names what is wrong', () => {
    const folder = temporaryFolder();
    const read = (name: string, text: string) => {
      writeFiles(folder, { [name]: text });
      return readColours(join(folder, name));
    };
    expect(read('a.yaml', "road: '#804080'")).toEqual({ road: '#804080' });
    expect(read('a.json', '{"road": "#804080"}')).toEqual({ road: '#804080' });
    expect(read('a.txt', 'road:128,64,128::')).toEqual({ road: '#804080' });
    expect(() => read('a.yaml', 'road: 7')).toThrow(/a\.yaml: road: expected a colour such as '#804080', received 7/);
    expect(() => read('a.txt', '\nroad')).toThrow(/a\.txt:2: expected name:red,green,blue::, received "road"/);
  });
});
