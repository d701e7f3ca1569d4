/** Files as labelling tools and people leave them. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { blankImage } from '@pyramidal/images';
import { type ConvertOptions, convertLabels, LossError } from './convert';
import {
  pictureOf,
  readCocoSet,
  removeTemporaryFolders,
  temporaryFolder,
  writeCocoSet,
  writeFiles,
} from './testing/sets';

afterEach(removeTemporaryFolders);

type Given = Omit<ConvertOptions, 'to' | 'out' | 'source'> & { readonly source?: string };

/** Converts files of a folder to COCO's format. */
async function toCoco(files: Readonly<Record<string, string | Uint8Array>>, { source = '', ...options }: Given) {
  const folder = temporaryFolder();
  writeFiles(folder, files);
  const out = join(folder, 'out');
  const images = options.images === undefined ? {} : { images: join(folder, options.images) };
  const conversion = await convertLabels({ ...options, ...images, to: 'coco', source: join(folder, source), out });
  return { folder, out, conversion, ...readCocoSet(out, [...conversion.read.keys()][0]) };
}

const png = once(() => pictureOf({ width: 20, height: 10 }));

/** A value that is made once, before the first test that needs it. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  return () => (value ??= make());
}

describe('YOLO', () => {
  it('reads boxes, polygons, empty and missing label files, names as a map', async () => {
    const { pictures, categories } = await toCoco(
      {
        'data.yaml': 'train: ../images/train\nnames: {1: hund, 0: "猫"}\nnc: 2\n',
        'images/train/a.png': await png(),
        'images/train/b.png': await png(),
        'images/train/c.png': await png(),
        'labels/train/a.txt': '1 0.5 0.5 0.2 0.4\r\n0 0 0 1 0 1 1\r\n\r\n',
        'labels/train/b.txt': '',
      },
      { from: 'yolo' },
    );
    expect(categories).toEqual(['猫', 'hund']);
    expect(pictures.map(({ objects }) => objects.length)).toEqual([2, 0, 0]);
    expect(pictures[0]!.objects).toEqual([
      { category: 'hund', bbox: [8, 3, 4, 4] },
      { category: '猫', bbox: [0, 0, 20, 10], segmentation: [[0, 0, 20, 0, 20, 10]] },
    ]);
  });

  it('reads lists of images, and classes.txt without data.yaml', async () => {
    const files = { 'data/images/a.png': await png(), 'data/labels/a.txt': '0 0.5 0.5 1 1' };
    const listed = await toCoco(
      { ...files, 'data.yaml': 'train: list.txt\nnames: [x]', 'list.txt': './data/images/a.png\n' },
      { from: 'yolo', source: 'data.yaml' },
    );
    expect(listed.pictures).toMatchObject([{ name: 'data/images/a.png', objects: [{ bbox: [0, 0, 20, 10] }] }]);
    const plain = await toCoco(
      { ...files, 'data/classes.txt': 'x\ny\n' },
      { from: 'yolo', source: 'data', split: 'val' },
    );
    expect(plain).toMatchObject({ categories: ['x', 'y'], pictures: [{ name: 'a.png' }] });
  });

  it.each([
    ['3 0.5 0.5 1 1', /a\.txt:1: class: expected 0 to 1, received 3/],
    [
      '0 0.5 0.5 1 1\n0 10 5 4 4',
      /a\.txt:2: expected shares of the image from 0 to 1, received 10; are these pixels\?/,
    ],
    ['0 0.5 0.5 1 1 0.9', /a\.txt:1: expected a class with 4 numbers, a box, .* received 5 numbers/],
    ['0 0.5 0.5 eins 1', /a\.txt:1: expected numbers, received "eins"/],
    ['0.5 0.5 0.5 1 1', /a\.txt:1: class: expected 0 to 1, received 0\.5/],
  ])('names file and line of %j', async (line, message) => {
    const files = { 'data.yaml': 'train: images\nnames: [x, y]', 'images/a.png': await png(), 'labels/a.txt': line };
    await expect(toCoco(files, { from: 'yolo' })).rejects.toThrow(message);
  });

  it('names labels without an image, and key points', async () => {
    const files = {
      'data.yaml': 'train: images\nnames: [x]',
      'images/a.png': await png(),
      'labels/b.txt': '0 0.5 0.5 1 1',
    };
    await expect(toCoco(files, { from: 'yolo' })).rejects.toThrow(
      /^1 image is not carried over: image: there is none of this name; the first: .*b\.txt; --allow-loss goes on without them$/,
    );
    const points = { ...files, 'data.yaml': 'train: images\nnames: [x]\nkpt_shape: [17, 3]' };
    await expect(toCoco(points, { from: 'yolo' })).rejects.toThrow(/data\.yaml: kpt_shape: expected boxes or polygons/);
  });
});

const voc = (inner: string, filename = 'a.png', size = '<width>20</width><height>10</height>'): string =>
  `<annotation><filename>${filename}</filename><size>${size}<depth>3</depth></size>${inner}</annotation>`;
const vocObject = (name: string, corners: readonly number[], rest = ''): string =>
  `<object><name>${name}</name>${rest}<bndbox>${['xmin', 'ymin', 'xmax', 'ymax'].map((key, i) => `<${key}>${corners[i]}</${key}>`).join('')}</bndbox></object>`;

describe('Pascal VOC', () => {
  it('counts pixels from 1, the last one included, and keeps flags', async () => {
    const object = vocObject(
      '猫',
      [1, 1, 20, 10],
      '<difficult>1</difficult><occluded>1</occluded><truncated>0</truncated>',
    );
    const { pictures, categories } = await toCoco(
      { 'Annotations/a.xml': voc(vocObject('b', [2, 3, 2, 3]) + object), 'JPEGImages/a.png': await png() },
      { from: 'voc' },
    );
    expect(categories).toEqual(['b', '猫']);
    expect(pictures[0]!.objects).toEqual([
      { category: 'b', bbox: [1, 2, 1, 1] },
      { category: '猫', bbox: [0, 0, 20, 10], attributes: { difficult: true, occluded: true } },
    ]);
  });

  it('reads boxes that count from 0 where it is told so', async () => {
    const files = { 'a.xml': voc(vocObject('b', [0, 0, 4, 5])), 'a.png': await png() };
    await expect(toCoco(files, { from: 'voc' })).rejects.toThrow(
      /a\.xml:1: object 1: expected corners from 1 on, .*--voc-from-0/,
    );
    const { pictures } = await toCoco(files, { from: 'voc', vocFirst: 0 });
    expect(pictures[0]!.objects[0]!.bbox).toEqual([0, 0, 4, 5]);
  });

  it('finds images of one name in different folders, and those of absolute paths of other systems', async () => {
    const { pictures } = await toCoco(
      {
        'Annotations/x/a.xml': voc(vocObject('b', [1, 1, 2, 2])),
        'Annotations/y/a.xml': voc(vocObject('b', [1, 1, 3, 3])),
        'Annotations/z.xml': voc(vocObject('b', [1, 1, 4, 4]), 'C:\\Bilder\\y\\c.png'),
        'JPEGImages/x/a.png': await png(),
        'JPEGImages/y/a.png': await png(),
        'JPEGImages/y/c.png': await png(),
      },
      { from: 'voc' },
    );
    expect(pictures.map(({ name, objects }) => [name, objects[0]!.bbox[2]])).toEqual([['x/a.png', 2], ['y/a.png', 3], ['y/c.png', 4]]); // prettier-ignore
  });

  it('takes a size of 0 from the image, and refuses another one', async () => {
    const files = { 'a.xml': voc('', 'a.png', '<width>0</width><height>0</height>'), 'a.png': await png() };
    expect((await toCoco(files, { from: 'voc', classes: ['b'] })).pictures[0]).toMatchObject({ width: 20, height: 10 });
    const other = { ...files, 'a.xml': voc('', 'a.png', '<width>10</width><height>10</height>') };
    await expect(toCoco(other, { from: 'voc', classes: ['b'] })).rejects.toThrow(
      /size: the image has another size than its labels/,
    );
  });

  it('refuses rotated boxes by name, and goes on without them where it may', async () => {
    const rotated = '<object><name>b</name><robndbox><cx>5</cx><angle>1</angle></robndbox></object>';
    const files = { 'a.xml': voc(rotated + vocObject('b', [1, 1, 2, 2])), 'a.png': await png() };
    await expect(toCoco(files, { from: 'voc' })).rejects.toThrow(
      /1 object is not carried over: robndbox: rotated boxes have no place in COCO; the first: .*a\.xml: object 1; --allow-loss/,
    );
    const { conversion, pictures } = await toCoco(files, { from: 'voc', allowLoss: true });
    expect([conversion.losses.count('object'), pictures[0]!.objects.length]).toEqual([1, 1]);
  });

  it('refuses an entity bomb in one of its files', async () => {
    const bomb = '<!DOCTYPE a [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><annotation><filename>&c;</filename></annotation>';
    await expect(toCoco({ 'a.xml': bomb }, { from: 'voc' })).rejects.toThrow(/a\.xml:1: has a document type/);
  });
});

const labelme = (shapes: readonly object[], imagePath = 'a.png'): string =>
  JSON.stringify({ version: '5.0', flags: {}, shapes, imagePath, imageData: null, imageHeight: 10, imageWidth: 20 });

describe('LabelMe', () => {
  it('reads paths of Windows, polygons of a group as one object, boxes from any two corners', async () => {
    const triangle = { label: 'x', shape_type: 'polygon', group_id: 1, flags: {} };
    const { pictures } = await toCoco(
      {
        'labels/a.json': labelme(
          [
            { ...triangle, points: [[0, 0], [4, 0], [4, 4]] }, // prettier-ignore
            { label: 'y', shape_type: 'rectangle', points: [[9, 8], [5, 6]], flags: { occluded: true } }, // prettier-ignore
            { ...triangle, points: [[10, 5], [12, 5], [12, 9]] }, // prettier-ignore
          ],
          '..\\images\\Übung\\a.png',
        ),
        'images/Übung/a.png': await png(),
        'images/a.png': await png(),
      },
      { from: 'labelme', source: 'labels', images: 'images' },
    );
    expect(pictures).toEqual([
      {
        ...{ name: 'Übung/a.png', width: 20, height: 10 },
        objects: [
          { category: 'x', bbox: [0, 0, 12, 9], segmentation: [[0, 0, 4, 0, 4, 4], [10, 5, 12, 5, 12, 9]] }, // prettier-ignore
          { category: 'y', bbox: [5, 6, 4, 2], attributes: { occluded: true } },
        ],
      },
    ]);
  });

  it.each(['circle', 'rotation', 'linestrip', 'point', 'spiral'])('names a %s', async (shape_type) => {
    const files = { 'a.json': labelme([{ label: 'x', shape_type, points: [[1, 1]] }]), 'a.png': await png() };
    await expect(toCoco(files, { from: 'labelme', classes: ['x'] })).rejects.toThrow(
      /1 object is not carried over: shape_type: .*a\.json: shape 1/,
    );
  });

  it('names file and field of what is wrong', async () => {
    const files = { 'a.json': labelme([{ label: 'x', points: [[1, 'b']] }]), 'a.png': await png() };
    await expect(toCoco(files, { from: 'labelme' })).rejects.toThrow(
      /a\.json: shapes\.0\.points\.0\.1: .*expected number/,
    );
    const few = { 'a.json': labelme([{ label: 'x', points: [[1, 1]] }]), 'a.png': await png() };
    await expect(toCoco(few, { from: 'labelme' })).rejects.toThrow(
      /shape 1: points: expected at least 3 for a polygon, received 1/,
    );
  });

  it('names an image that is not there, and one that is labelled twice', async () => {
    const box = { label: 'x', shape_type: 'rectangle', points: [[0, 0], [2, 2]] }; // prettier-ignore
    const files = { 'a.json': labelme([box]), 'b.json': labelme([box], 'b.png'), 'b.png': await png() };
    await expect(toCoco(files, { from: 'labelme' })).rejects.toThrow(
      /1 image is not carried over: image: is not in the folder/,
    );
    const twice = { 'a.json': labelme([box], 'b.png'), 'b.json': labelme([box], 'b.png'), 'b.png': await png() };
    await expect(toCoco(twice, { from: 'labelme' })).rejects.toThrow(
      /b\.json: b\.png: expected each image once, .*a\.json labels it too/,
    );
  });
});

const cvat = (images: string, labels = ['b', 'a']): string =>
  `<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version><meta><task><labels>${labels
    .map((name) => `<label><name>${name}</name><attributes/></label>`)
    .join('')}</labels></task></meta>${images}</annotations>`;

describe('CVAT', () => {
  it('keeps the order of its labels, attributes and flags', async () => {
    const shapes =
      '<box label="a" occluded="1" xtl="1.5" ytl="2" xbr="4" ybr="5" z_order="0"><attribute name="Farbe">rot</attribute></box>' +
      '<mask label="b" occluded="0" rle="1, 2, 1" left="3" top="4" width="2" height="2"></mask>';
    const { pictures, categories } = await toCoco(
      { 'a.xml': cvat(`<image id="0" name="x/a.png" width="20" height="10">${shapes}</image>`) },
      { from: 'cvat', source: 'a.xml' },
    );
    expect(categories).toEqual(['b', 'a']);
    expect(pictures[0]!.objects).toMatchObject([
      { category: 'a', bbox: [1.5, 2, 2.5, 3], attributes: { occluded: true, Farbe: 'rot' } },
      { category: 'b', bbox: [3, 4, 2, 2], segmentation: { size: [10, 20] } },
    ]);
  });

  it.each([
    ['<box label="a" rotation="30.5" xtl="1" ytl="1" xbr="2" ybr="2"/>', 'rotation: rotated boxes'],
    ['<box label="a" outside="1" xtl="1" ytl="1" xbr="2" ybr="2"/>', 'outside: the object has left the image'],
    ['<polyline label="a" points="1,1;2,2"/>', 'polyline: lines'],
    ['<ellipse label="a" cx="1" cy="1" rx="1" ry="1"/>', 'ellipse: ellipses'],
    ['<tag label="a"/>', 'tag: labels of whole images'],
  ])('names %s', async (shape, reason) => {
    const file = cvat(`<image id="7" name="a.png" width="20" height="10">${shape}</image>`);
    const name = /<(\w+)/.exec(shape)![1];
    await expect(toCoco({ 'a.xml': file }, { from: 'cvat', source: 'a.xml' })).rejects.toThrow(
      new RegExp(`1 object is not carried over: ${reason}.*; the first: .*a\\.xml: image 7, ${name} 1; --allow-loss`),
    );
  });

  it('refuses tracks of a video, and numbers that are none', async () => {
    const track = cvat('<track id="0" label="a"><box frame="0" xtl="1" ytl="1" xbr="2" ybr="2" outside="0"/></track>');
    await expect(toCoco({ 'a.xml': track }, { from: 'cvat', source: 'a.xml' })).rejects.toThrow(
      /expected "CVAT for images 1.1", received tracks/,
    );
    const box = cvat(
      '<image id="0" name="a.png" width="20" height="10"><box label="a" xtl="x" ytl="1" xbr="2" ybr="2"/></image>',
    );
    await expect(toCoco({ 'a.xml': box }, { from: 'cvat', source: 'a.xml' })).rejects.toThrow(
      /image 0, box 1: xtl: expected a number, received "x"/,
    );
  });
});

const studio = (result: readonly object[], rest: object = {}): object => ({
  id: 5,
  data: { image: '/data/upload/3/0a1b2c3d-K%C3%A4tze.png' },
  annotations: [{ id: 1, was_cancelled: false, result }],
  ...rest,
});
const percent = (value: object, rest: object = {}): object => ({
  ...{ id: 'r', type: 'rectanglelabels', original_width: 20, original_height: 10, image_rotation: 0 },
  ...{ value: { x: 10, y: 20, width: 50, height: 30, rotation: 0, rectanglelabels: ['x'], ...value } },
  ...rest,
});

describe('Label Studio', () => {
  const options = { from: 'label-studio', source: 'a.json' } as const;

  it('takes per cent to pixels, and finds uploads by their own names', async () => {
    const tasks = [studio([percent({})]), studio([], { id: 6, data: { img: 's3://b/leer.png' } })];
    const { pictures } = await toCoco(
      { 'a.json': JSON.stringify(tasks), 'images/Kätze.png': await png(), 'images/leer.png': await png() },
      { ...options, images: 'images' },
    );
    expect(pictures).toMatchObject([
      { name: 'Kätze.png', objects: [{ category: 'x', bbox: [2, 2, 10, 3] }] },
      { name: 'leer.png', width: 20, objects: [] },
    ]);
  });

  it('joins shapes and labels of two controls', async () => {
    const shape = percent({ rectanglelabels: undefined }, { type: 'rectangle' });
    const labels = percent({ rectanglelabels: undefined, labels: ['y'] }, { type: 'labels' });
    const { pictures } = await toCoco({ 'a.json': JSON.stringify([studio([shape, labels])]) }, options);
    expect(pictures[0]!.objects).toMatchObject([{ category: 'y', bbox: [2, 2, 10, 3] }]);
  });

  it.each([
    ['a rotated box', studio([percent({ rotation: 12 })]), 'rotation: rotated boxes'],
    ['a turned image', studio([percent({}, { image_rotation: 90 })]), 'image_rotation: the image was turned'],
    ['a brush', studio([percent({}, { type: 'brushlabels' })]), "type: 'brushlabels'"],
    [
      'a task that was skipped',
      studio([], { annotations: [{ was_cancelled: true, result: [] }] }),
      'annotations: the task was skipped',
    ],
  ])('names %s', async (_, task, reason) => {
    await expect(toCoco({ 'a.json': JSON.stringify([task]) }, options)).rejects.toThrow(
      new RegExp(`not carried over: ${reason}.*a\\.json: task 5`),
    );
  });

  it('refuses other exports', async () => {
    const min = [{ id: 1, image: 'a.png', label: [], annotator: 1 }];
    await expect(toCoco({ 'a.json': JSON.stringify(min) }, options)).rejects.toThrow(
      /task 1: expected the export "JSON", received "JSON-MIN"/,
    );
    await expect(toCoco({ 'a.json': '{"images": []}' }, options)).rejects.toThrow(
      /expected a list of tasks, received an object/,
    );
  });
});

describe('convertLabels', () => {
  const object = { category: 'x', bbox: [1, 1, 3, 3] };

  it('names what YOLO cannot hold, and leaves nothing then', async () => {
    const folder = temporaryFolder();
    const parts = [[0, 0, 4, 0, 4, 4], [6, 6, 8, 6, 8, 8]]; // prettier-ignore
    const objects = [{ ...object, iscrowd: 1 }, { ...object, bbox: [0, 0, 8, 8], segmentation: parts }, object];
    await writeCocoSet(join(folder, 'in'), ['x'], [{ name: 'a.png', width: 20, height: 10, objects }]);
    const options = { from: 'coco', to: 'yolo', source: join(folder, 'in'), out: join(folder, 'out') } as const;
    const error = await convertLabels(options).catch((reason: unknown) => reason as LossError);
    expect(error).toBeInstanceOf(LossError);
    expect((error as LossError).losses.lines()).toEqual([
      expect.stringMatching(
        /^1 object is not carried over: iscrowd: YOLO has no regions.*instances_train\.json: image 1, annotation 1$/,
      ),
      expect.stringMatching(/^1 mask is not carried over: segmentation: a YOLO object is one polygon.*annotation 2$/),
    ]);
    expect(readdirSync(folder)).toEqual(['in']);
    const { written, losses } = await convertLabels({ ...options, allowLoss: true });
    expect(written.get('train')).toEqual({ images: 1, empty: 0, objects: 2, masks: 0, crowds: 0 });
    expect(losses.records).toHaveLength(2);
    expect(readFileSync(join(options.out, 'labels/train/a.txt'), 'utf8')).toBe(
      '0 0.2 0.4 0.4 0.8\n0 0.125 0.25 0.15 0.3\n',
    );
    // Boxes alone, on purpose, lose no masks.
    await expect(convertLabels({ ...options, out: join(folder, 'boxes'), boxesOnly: true })).rejects.toThrow(/^1 object is not carried over: iscrowd.*annotation 1; --allow-loss/); // prettier-ignore
  });

  it('gives images second names, and writes over nothing without being told', async () => {
    const folder = temporaryFolder();
    await writeCocoSet(join(folder, 'in'), ['x'], [{ name: 'c/a.png', width: 20, height: 10, objects: [object] }]);
    const options = { from: 'coco', to: 'voc', source: join(folder, 'in'), out: join(folder, 'out') } as const;
    await convertLabels(options);
    const [first, second] = [join(folder, 'in/train/c/a.png'), join(folder, 'out/JPEGImages/c/a.png')];
    expect(statSync(second).ino).toBe(statSync(first).ino);
    await convertLabels(options); // the same files
    writeFiles(join(folder, 'out'), { 'Annotations/c/a.xml': 'mine' });
    await expect(convertLabels(options)).rejects.toThrow(
      /Annotations\/c\/a\.xml: is there already; --overwrite writes over it/,
    );
    expect(readFileSync(join(folder, 'out/Annotations/c/a.xml'), 'utf8')).toBe('mine');
    await convertLabels({ ...options, overwrite: true });
    expect(readFileSync(join(folder, 'out/Annotations/c/a.xml'), 'utf8')).toContain('<filename>c/a.png</filename>');
    expect(readdirSync(folder).sort()).toEqual(['in', 'out']);
  });

  it('refuses two images that would share a label file, and boxes without area', async () => {
    const folder = temporaryFolder();
    const list = ['a.png', 'a.jpg'].map((name) => ({ name, width: 20, height: 10, objects: [] }));
    await writeCocoSet(join(folder, 'in'), ['x'], list);
    const options = { from: 'coco', source: join(folder, 'in'), out: join(folder, 'out') } as const;
    await expect(convertLabels({ ...options, to: 'yolo' })).rejects.toThrow(
      /a\.jpg: expected a name that no other image has, a\.png would share a\.txt/,
    );
    await writeCocoSet(
      join(folder, 'flat'),
      ['x'],
      [{ name: 'a.png', width: 20, height: 10, objects: [{ category: 'x', bbox: [1, 1, 0, 3] }] }],
    );
    await expect(convertLabels({ ...options, source: join(folder, 'flat'), to: 'cvat' })).rejects.toThrow(
      /box: has no area/,
    );
    expect(existsSync(options.out)).toBe(false);
  });

  it('keeps images of one name in two splits apart', async () => {
    const folder = temporaryFolder();
    await writeCocoSet(join(folder, 'in'), ['x'], [{ name: 'a.png', width: 20, height: 10, objects: [object] }]);
    writeFiles(join(folder, 'in'), {
      'annotations/instances_val.json': readFileSync(join(folder, 'in/annotations/instances_train.json')),
      'val/a.png': await png(),
    });
    const options = { from: 'coco', to: 'voc', source: join(folder, 'in'), out: join(folder, 'out') } as const;
    const { written } = await convertLabels(options);
    expect([...written].map(([split, { images }]) => [split, images])).toEqual([['train', 1], ['val', 1]]); // prettier-ignore
    expect(readdirSync(join(options.out, 'JPEGImages/val'))).toEqual(['a.png']);
  });

  it('takes images as people see them, unless they were labelled as they are stored', async () => {
    const { default: sharp } = await import('sharp');
    const { data, width, height } = blankImage({ width: 20, height: 10 });
    const turned = await sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg()
      .withMetadata({ orientation: 6 })
      .toBuffer();
    const files = { 'data.yaml': 'train: images\nnames: [x]', 'images/a.jpg': turned, 'labels/a.txt': '0 0.5 0.5 1 1' };
    expect((await toCoco(files, { from: 'yolo' })).pictures[0]).toMatchObject({
      width: 10,
      height: 20,
      objects: [{ bbox: [0, 0, 10, 20] }],
    });
    const stored = { 'a.xml': voc(vocObject('x', [1, 1, 2, 2]), 'a.jpg'), 'a.jpg': turned };
    const { conversion, pictures } = await toCoco(stored, { from: 'voc' });
    expect(pictures[0]).toMatchObject({ width: 20, height: 10 });
    expect(conversion.losses.lines()[0]).toContain('train with data.orientation: stored');
  });
});
