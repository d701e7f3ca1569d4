/** What every format is asked alike: names of any script and any system, nothing to read, classes in another order, rotated boxes. */
import { join } from 'node:path';
import { convertLabels, type ConvertOptions, type LabelFormatName } from './convert';
import { pictureOf, readCocoSet, removeTemporaryFolders, temporaryFolder, writeFiles } from './testing/sets';

afterEach(removeTemporaryFolders);

/** An export that labels one image of 20 x 10 pixels. */
interface Export {
  readonly files: Readonly<Record<string, string>>;
  readonly source: string;
}

/** How a tool writes boxes `[x, y, width, height]` of classes; `image` is its path, as the tool's own system has it. */
interface Tool {
  write(image: string, objects: readonly (readonly [label: string, box: readonly number[]])[]): Export;
  /** One of its files with nothing in it, and what is said of it; undefined where that is an image without objects. */
  readonly emptied: RegExp | undefined;
  /** A box that is turned, in a file like those that `write` gives, and what it is called. */
  readonly rotated: readonly [file: string, reason: RegExp] | undefined;
}

const voc = (image: string, objects: string): string =>
  `<annotation><filename>${image}</filename><size><width>20</width><height>10</height></size>${objects}</annotation>`;

const labelme = (imagePath: string, shapes: readonly object[]): string =>
  JSON.stringify({ version: '5.0', shapes, imagePath, imageData: null, imageHeight: 10, imageWidth: 20 });

const cvat = (image: string, shapes: string): string =>
  `<annotations><version>1.1</version><image id="0" name="${image}" width="20" height="10">${shapes}</image></annotations>`;

const studio = (image: string, boxes: readonly object[]): string => {
  const sized = { type: 'rectanglelabels', original_width: 20, original_height: 10 };
  const result = boxes.map((value, i) => ({ id: `${i}`, ...sized, value }));
  return JSON.stringify([{ id: 1, data: { image }, annotations: [{ result }] }]);
};

const TOOLS: Readonly<Record<Exclude<LabelFormatName, 'coco'>, Tool>> = {
  yolo: {
    write(image, objects) {
      const names = [...new Set(objects.map(([label]) => label))];
      const share = ([x, y, w, h]: readonly number[]) => [(x! + w! / 2) / 20, (y! + h! / 2) / 10, w! / 20, h! / 10];
      const lines = objects.map(([label, box]) => [names.indexOf(label), ...share(box)].join(' '));
      const own = image.replaceAll('\\', '/').split('/').slice(-2).join('/').replace(/\w+$/, 'txt');
      const data = `train: list.txt\nnames: ${JSON.stringify(names.length === 0 ? ['a'] : names)}\n`;
      return { files: { 'data.yaml': data, 'list.txt': image, [`labels/${own}`]: lines.join('\n') }, source: '' };
    },
    emptied: undefined,
    // Corners of a turned box are four points like those of any polygon.
    rotated: undefined,
  },
  voc: {
    write(image, objects) {
      const corners = ([x, y, w, h]: readonly number[]) => [x! + 1, y! + 1, x! + w!, y! + h!];
      const keys = ['xmin', 'ymin', 'xmax', 'ymax'];
      const boxes = objects.map(([label, box]) => {
        const places = corners(box).map((value, i) => `<${keys[i]}>${value}</${keys[i]}>`);
        return `<object><name>${label}</name><bndbox>${places.join('')}</bndbox></object>`;
      });
      return { files: { 'labels/a.xml': voc(image, boxes.join('')) }, source: 'labels' };
    },
    emptied: /a\.xml/,
    rotated: [
      voc('images/Übung/猫.png', '<object><name>b</name><robndbox><cx>5</cx><angle>1</angle></robndbox></object>'),
      /robndbox: rotated boxes/,
    ],
  },
  labelme: {
    write(image, objects) {
      const shapes = objects.map(([label, [x, y, w, h]]) => {
        return { label, shape_type: 'rectangle', points: [[x, y], [x! + w!, y! + h!]] }; // prettier-ignore
      });
      return { files: { 'labels/a.json': labelme(image, shapes) }, source: 'labels' };
    },
    emptied: /a\.json/,
    rotated: [
      labelme('images/Übung/猫.png', [{ label: 'b', shape_type: 'rotation', points: [[1, 1], [2, 1], [2, 2], [1, 2]] }]), // prettier-ignore
      /shape_type: .*rotat/,
    ],
  },
  cvat: {
    write(image, objects) {
      const shapes = objects.map(([label, [x, y, w, h]]) => {
        return `<box label="${label}" xtl="${x}" ytl="${y}" xbr="${x! + w!}" ybr="${y! + h!}"/>`;
      });
      return { files: { 'a.xml': cvat(image, shapes.join('')) }, source: 'a.xml' };
    },
    emptied: /a\.xml/,
    rotated: [
      cvat('images/Übung/猫.png', '<box label="b" rotation="30" xtl="1" ytl="1" xbr="2" ybr="2"/>'),
      /rotation: rotated boxes/,
    ],
  },
  'label-studio': {
    write(image, objects) {
      const boxes = objects.map(([label, [x, y, w, h]]) => {
        return { x: 5 * x!, y: 10 * y!, width: 5 * w!, height: 10 * h!, rotation: 0, rectanglelabels: [label] };
      });
      return { files: { 'a.json': studio(image, boxes) }, source: 'a.json' };
    },
    emptied: /a\.json/,
    rotated: [
      studio('images/Übung/猫.png', [{ x: 1, y: 1, width: 5, height: 5, rotation: 12, rectanglelabels: ['b'] }]),
      /rotation: rotated boxes/,
    ],
  },
};

describe.each(Object.entries(TOOLS) as [Exclude<LabelFormatName, 'coco'>, Tool][])('%s', (from, tool) => {
  /** Converts an export beside the one image there is. */
  async function toCoco({ files, source }: Export, options: Partial<ConvertOptions> = {}) {
    const folder = temporaryFolder();
    writeFiles(folder, { ...files, 'images/Übung/猫.png': await pictureOf({ width: 20, height: 10 }) });
    const own = from === 'yolo' ? {} : { images: join(folder, 'images') };
    const places = { source: join(folder, source), out: join(folder, 'out') };
    await convertLabels({ from, to: 'coco', ...own, ...places, ...options });
    return readCocoSet(places.out);
  }

  it.each([
    ['of this system', 'images/Übung/猫.png'],
    ['of Windows', 'images\\Übung\\猫.png'],
    ['of another machine', '/home/jürgen/images/Übung/猫.png'],
    ['of another machine with Windows', 'C:\\Bilder\\images\\Übung\\猫.png'],
  ])('finds an image by a path %s, and keeps names of any script', async (_, image) => {
    const { pictures, categories } = await toCoco(tool.write(image, [['Straßenbahn 電車', [2, 3, 4, 5]]])); // prettier-ignore
    expect(categories).toEqual(['Straßenbahn 電車']);
    expect(pictures).toMatchObject([{ width: 20, height: 10, objects: [{ bbox: [2, 3, 4, 5] }] }]);
    expect(pictures[0]!.name).toMatch(/Übung\/猫\.png$/);
  });

  it('takes an image without objects', async () => {
    const { pictures } = await toCoco(tool.write('images/Übung/猫.png', []), { classes: ['a'] });
    expect(pictures.map(({ objects }) => objects)).toEqual([[]]);
  });

  it('numbers classes in the order that it is told, whatever that of the files', async () => {
    const objects = [['b', [1, 1, 2, 2]], ['a', [5, 5, 2, 2]], ['b', [9, 1, 2, 2]]] as const; // prettier-ignore
    const given = tool.write('images/Übung/猫.png', objects);
    const { categories, pictures } = await toCoco(given, { classes: ['a', 'c', 'b'] });
    expect(categories).toEqual(['a', 'c', 'b']);
    expect(pictures[0]!.objects.map(({ category, bbox }) => [category, bbox])).toEqual(objects);
    await expect(toCoco(given, { classes: ['a', 'c'] })).rejects.toThrow(/"b" is not in the list of classes/);
  });

  const { emptied, rotated } = tool;
  if (emptied !== undefined) {
    it('names a file with nothing in it', async () => {
      const { files, source } = tool.write('images/Übung/猫.png', []);
      const empty = Object.fromEntries(Object.keys(files).map((name) => [name, '']));
      const told = await toCoco({ files: empty, source }).catch((error: unknown) => error as Error);
      expect(told).toBeInstanceOf(Error);
      expect((told as Error).message).toMatch(emptied);
      expect((told as Error).message.split('\n')).toHaveLength(1);
    });
  }

  if (rotated !== undefined) {
    it('refuses a rotated box by name', async () => {
      const { files, source } = tool.write('images/Übung/猫.png', []);
      const [content, reason] = rotated;
      const turned = Object.fromEntries(Object.keys(files).map((name) => [name, content]));
      await expect(toCoco({ files: turned, source }, { classes: ['b'] })).rejects.toThrow(reason);
    });
  }
});
