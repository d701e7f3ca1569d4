/** Labels that are made to hang or to swell: time and memory grow with the bytes alone. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type ConvertOptions, convertLabels, type LabelFormatName } from './convert';
import { readColours } from './masks';
import { pictureOf, removeTemporaryFolders, temporaryFolder, writeFiles } from './testing/sets';

afterEach(removeTemporaryFolders);

async function toCoco(
  from: LabelFormatName,
  files: Record<string, string | Uint8Array>,
  more: Partial<ConvertOptions> = {},
) {
  const folder = temporaryFolder();
  writeFiles(folder, files);
  const source = join(folder, more.source ?? '');
  return convertLabels({ from, to: 'coco', ...more, source, out: join(folder, 'out') });
}

const picture = () => pictureOf({ width: 20, height: 10 });
const names = (count: number) => Array.from({ length: count }, (_, i) => `n${i}`);

describe('YAML', () => {
  const nested = `${'{a: '.repeat(5000)}1`;
  const bomb = 'a: &a [x, x, x]\nb: &b [*a, *a, *a]\nnames: [*b]\n';
  it.each([
    ['that is nested deeply', nested, /nested too deeply/],
    ['of anchors', bomb, /anchors and aliases are not used/],
    [
      'of many keys',
      names(30_000)
        .map((name) => `${name}: 1`)
        .join('\n'),
      /expected a configuration of at most 256 KiB|names/,
    ],
  ])('%s is refused at once, of data sets and of colours', async (_, text, message) => {
    await expect(toCoco('yolo', { 'data.yaml': text })).rejects.toThrow(message);
    const folder = temporaryFolder();
    writeFiles(folder, { 'colours.yaml': text });
    expect(() => readColours(join(folder, 'colours.yaml'))).toThrow(/:\d+: |256 KiB|expected a colour/);
  });
});

it('leaves out no labels because it cannot look at them', async () => {
  const folder = temporaryFolder();
  const source = join(folder, 'set');
  writeFiles(source, { 'data.yaml': 'train: images/train\nnames: [a]\n', 'images/train/a.png': await picture() });
  mkdirSync(join(source, 'labels'));
  symlinkSync('train', join(source, 'labels/train'));
  const conversion = convertLabels({ from: 'yolo', to: 'coco', source, out: join(folder, 'out') });
  await expect(conversion).rejects.toThrow(
    `${join(source, 'labels/train/a.txt')}: cannot be looked at: symbolic links lead in a circle`,
  );
});

it('compares a hundred thousand classes in linear time', async () => {
  const files = {
    'classes.txt': names(100_000).join('\n'),
    'images/a.png': await picture(),
    'labels/a.txt': '9 .5 .5 .2 .2',
  };
  const { categories } = await toCoco('yolo', files);
  expect(categories).toHaveLength(100_000);
  const twice = { ...files, 'classes.txt': `${files['classes.txt']}\nn7` };
  await expect(toCoco('yolo', twice)).rejects.toThrow('names: expected each class once, received "n7" twice');
});

describe('masks', () => {
  const labels = (side: number | string, rle: string, count = 1): string => {
    const mask = `<mask label="a" rle="${rle}" left="1" top="1" width="2" height="2"/>`;
    return `<annotations><image id="0" name="a.png" width="${side}" height="${side}">${mask.repeat(count)}</image></annotations>`;
  };
  const read = (text: string) => toCoco('cvat', { 'a.xml': text }, { source: 'a.xml' });

  it('of two by two pixels need no bitmap of their image, however large it says it is', async () => {
    const { written } = await read(labels(46_000, '1, 3', 2000));
    expect(written.get('train')).toMatchObject({ masks: 2000 });
  });

  it.each([
    ['0.5, 3.5', /rle: expected whole runs of 4 pixels, received 0\.5 after 0/],
    ['1, 4', /rle: expected whole runs of 4 pixels, received 4 after 1/],
    ['-1, 5', /rle: expected whole runs of 4 pixels, received -1 after 0/],
  ])('with runs of %s are refused', async (rle, message) => {
    await expect(read(labels(20, rle))).rejects.toThrow(message);
  });

  it.each(['60000', '1e308', '40.5'])('of an image of %s pixels a side are left out with it', async (side) => {
    await expect(read(labels(side, '1, 3'))).rejects.toThrow(
      /1 image is not carried over: size: expected whole pixels, received/,
    );
  });
});

it('refuses an element with attributes by the hundred thousand, and a line without end', async () => {
  const many = names(600_000)
    .map((name) => `${name}=""`)
    .join(' ');
  await expect(
    toCoco('cvat', { 'a.xml': `<annotations><image ${many}/></annotations>` }, { source: 'a.xml' }),
  ).rejects.toThrow('expected at most 1000 attributes of an element, received more');
  const files = { 'classes.txt': 'x', 'images/a.png': await picture(), 'labels/a.txt': `0 ${'0.5 '.repeat(300_000)}` };
  await expect(toCoco('yolo', files)).rejects.toThrow('a.txt:1: expected a line of at most 1048576 characters');
});

it('makes no set of no images', async () => {
  const folder = { 'data.yaml': 'train: images\nnames: [x]', 'images/notes.md': '' };
  await expect(toCoco('yolo', folder)).rejects.toThrow('expected at least one image, found none');
});

it('reads no file again for a list that names it a hundred thousand times', async () => {
  const files = { 'Annotations/a.xml': '<annotation/>', 'ImageSets/Main/train.txt': 'a\n'.repeat(100_000) };
  await expect(toCoco('voc', files)).rejects.toThrow('train.txt: a.xml: expected each image once, it is listed again');
});

it('refuses points by the million before they are read', async () => {
  const shape = { label: 'x', shape_type: 'polygon', points: Array.from({ length: 600_000 }, () => [1, 1]) };
  const file = { imagePath: 'a.png', imageWidth: 20, imageHeight: 10, shapes: [shape] };
  await expect(toCoco('labelme', { 'a.json': JSON.stringify(file) })).rejects.toThrow(
    'a.json: expected at most 500000 points and lists, received 600002',
  );
});
