/** From COCO's format into each other one and back: what the format can hold comes back as it was. */
import { join } from 'node:path';
import { mask } from '@cocoeval/ts';
import fc from 'fast-check';
import { convertLabels, type LabelFormatName } from './convert';
import {
  type CocoObject,
  type Picture,
  readCocoSet,
  removeTemporaryFolders,
  temporaryFolder,
  writeCocoSet,
} from './testing/sets';

afterEach(removeTemporaryFolders);

const CATEGORIES = ['cat', 'Straßenbahn', '猫 & <dog>', 'it\'s "one"', 'z'];

/** Places on a grid of an eighth of a pixel, which no arithmetic rounds; shares of images are of another kind. */
const eighths = (limit: number): fc.Arbitrary<number> =>
  fc.integer({ min: 0, max: limit * 8 }).map((value) => value / 8);

const boxes = (width: number, height: number): fc.Arbitrary<number[]> =>
  fc
    .tuple(eighths(width - 1), eighths(height - 1), fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }))
    .map(([x, y, across, down]) => [x, y, ((width - x) * across) / 100, ((height - y) * down) / 100]);

const polygon = (width: number, height: number): fc.Arbitrary<number[]> =>
  fc
    .array(fc.tuple(eighths(width), eighths(height)), { minLength: 3, maxLength: 7 })
    .filter((points) => new Set(points.map(([x]) => x)).size > 1 && new Set(points.map(([, y]) => y)).size > 1)
    .map((points) => points.flat());

function bounds(polygons: readonly number[][]): number[] {
  const [xs, ys] = [0, 1].map((axis) => polygons.flatMap((points) => points.filter((_, i) => i % 2 === axis))) as [
    number[],
    number[],
  ];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return [x, y, Math.max(...xs) - x, Math.max(...ys) - y];
}

const runLengths = (width: number, height: number): fc.Arbitrary<Omit<CocoObject, 'category'>> =>
  fc
    .uint8Array({ minLength: width * height, maxLength: width * height, max: 1 })
    .filter((data) => data.includes(1))
    .map((data) => {
      const segmentation = mask.encode({ data, width, height });
      return { bbox: [...mask.toBbox(segmentation)], segmentation };
    });

interface Abilities {
  readonly parts?: number;
  readonly runs?: boolean;
  readonly crowds?: boolean;
  readonly attributes?: fc.Arbitrary<object>;
}

const ABILITIES: Readonly<Record<Exclude<LabelFormatName, 'coco'>, Abilities>> = {
  yolo: { parts: 1 },
  'label-studio': { parts: 1 },
  voc: { attributes: fc.subarray(['difficult', 'truncated', 'occluded']).map((names) => flags(names)) },
  labelme: {
    parts: 3,
    runs: true,
    crowds: true,
    attributes: fc.subarray(['difficult', 'läuft']).map((names) => flags(names)),
  },
  cvat: {
    ...{ parts: 3, runs: true, crowds: true },
    attributes: fc.record(
      { occluded: fc.constant(true), 'Farbe "x"': fc.constantFrom('rot & blau', 'grün') },
      { requiredKeys: [] },
    ),
  },
};

const flags = (names: readonly string[]): object => Object.fromEntries(names.map((name) => [name, true]));

function objects(
  width: number,
  height: number,
  { parts = 0, runs = false, crowds = false, attributes }: Abilities,
): fc.Arbitrary<CocoObject> {
  const shapes: fc.Arbitrary<Omit<CocoObject, 'category'>>[] = [boxes(width, height).map((bbox) => ({ bbox }))];
  if (parts > 0) {
    const polygons = fc.array(polygon(width, height), { minLength: 1, maxLength: parts });
    shapes.push(polygons.map((segmentation) => ({ bbox: bounds(segmentation), segmentation })));
  }
  if (runs) shapes.push(runLengths(width, height));
  const category = fc.constantFrom(...CATEGORIES);
  return fc
    .record({
      shape: fc.oneof(...shapes),
      category,
      crowd: crowds ? fc.boolean() : fc.constant(false),
      attributes: attributes ?? fc.constant({}),
    })
    .map(({ shape, crowd, attributes: own, ...rest }) => ({
      ...rest,
      ...shape,
      ...(crowd && { iscrowd: 1 }),
      ...(Object.keys(own).length > 0 && { attributes: own }),
    }));
}

const NAMES = ['a.png', 'b.c.png', 'Übung/a.png', 'cam 1/a.png', 'cam 1/猫.png', '100%25.png'];

const pictures = (abilities: Abilities): fc.Arbitrary<Picture[]> =>
  fc
    .uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 })
    .chain((names) =>
      fc.tuple(
        ...names.map((name) =>
          fc
            .constantFrom({ width: 16, height: 9 }, { width: 13, height: 31 }, { width: 7, height: 7 })
            .chain((size) =>
              fc
                .array(objects(size.width, size.height, abilities), { maxLength: 4 })
                .map((list) => ({ name, ...size, objects: list })),
            ),
        ),
      ),
    )
    .map((list) => [...list].sort((a, b) => (a.name < b.name ? -1 : 1)));

/** Numbers to a hundred-thousandth of a pixel. */
const rounded = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, part: unknown) =>
    typeof part === 'number' ? Math.round(part * 1e5) / 1e5 : part,
  );

describe.each(Object.entries(ABILITIES) as [Exclude<LabelFormatName, 'coco'>, Abilities][])(
  '%s',
  (format, abilities) => {
    it('holds what it can hold', async () => {
      await fc.assert(
        fc.asyncProperty(pictures(abilities), async (list) => {
          const folder = temporaryFolder();
          const [first, there, back] = ['coco', 'there', 'back'].map((name) => join(folder, name)) as [
            string,
            string,
            string,
          ];
          await writeCocoSet(first, CATEGORIES, list);
          const away = await convertLabels({ from: 'coco', to: format, source: first, out: there });
          const source = { cvat: 'train.xml', 'label-studio': 'train.json', labelme: 'train', yolo: '', voc: '' }[
            format
          ];
          const images = format === 'cvat' || format === 'label-studio' ? { images: join(there, 'images/train') } : {};
          // Label Studio and CVAT's files are read with the classes that they were made of, since objects may use some of them alone.
          const home = await convertLabels({
            from: format,
            to: 'coco',
            source: join(there, source),
            out: back,
            classes: CATEGORIES,
            ...images,
          });
          expect([away.losses.lines(), home.losses.lines()]).toEqual([[], []]);
          expect(home.written).toEqual(away.read);
          const found = readCocoSet(back);
          expect(found.categories).toEqual(CATEGORIES);
          expect(rounded(found.pictures)).toEqual(rounded(list));
        }),
        { numRuns: 15 },
      );
    });
  },
);
