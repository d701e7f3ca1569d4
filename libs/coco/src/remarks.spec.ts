/** What is said of a dataset before it is used, and where its pictures may lie. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blankImage, encodeImage } from '@pyramidal/images';
import { type DetectionDatasetOptions, openDetectionDataset } from './dataset';

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coco-'));
  mkdirSync(join(folder, 'images'));
  const picture = await encodeImage(blankImage({ width: 40, height: 30 }, [200, 100, 50]), 'png');
  for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, 'images', `${name}.png`), picture);
});
afterEach(() => rmSync(folder, { recursive: true }));

const image = (id: number, file_name: string) => ({ id, file_name, width: 40, height: 30 });

function open(names: readonly string[], options: Partial<DetectionDatasetOptions> = {}, changes = {}) {
  const annotations = join(folder, 'x.json');
  const categories = [7, 90].map((id) => ({ id, name: `kind ${id}` }));
  const object = { id: 1, image_id: 1, category_id: 7, iscrowd: 0, area: 100, bbox: [5, 5, 10, 10], ...changes };
  const images = names.map((name, i) => image(1 + i, name));
  writeFileSync(annotations, JSON.stringify({ images, categories, annotations: [object] }));
  return openDetectionDataset({ annotations, images: join(folder, 'images'), ...options });
}

it('counts images that no record names, images without objects that are left out, categories without objects', async () => {
  const unused = `${folder}/x.json: 1 of 2 categories have no object, the first one 'kind 90'`;
  const unnamed = `${folder}/images: 1 images are in no record of the annotations, the first one c.png`;
  expect((await open(['a.png', 'b.png'])).notes).toEqual([unused, unnamed]);
  const empty = `${folder}/x.json: 1 of 2 images have no object and are left out`;
  expect((await open(['a.png', 'b.png'], { emptyImages: 'filter' })).notes).toEqual([empty, unused, unnamed]);
  const parts = (['training', 'validation'] as const).map((take) => ({ share: 0.5, seed: 1, take }));
  const sides = await Promise.all(parts.map((part) => open(['a.png', 'b.png'], { part })));
  expect(sides.flatMap(({ notes }) => notes).filter((note) => note.includes('left out'))).toEqual([]);
});

it('gives objects of an export of boxes alone the area of their box, for evaluation too', async () => {
  const bare = { area: undefined, iscrowd: undefined };
  const { coco, notes } = await open(['a.png', 'b.png', 'c.png'], { evaluated: true }, bare);
  expect(coco.annotations[0]!.area).toBe(100);
  expect(notes[0]).toBe(`${folder}/x.json: 1 objects have neither a mask nor an area: they have that of their box`);
  const masked = { ...bare, segmentation: [[5, 5, 15, 5, 15, 15]] };
  await expect(open(['a.png'], { evaluated: true }, masked)).rejects.toThrow('area: expected a finite number');
  await expect(open(['a.png'], { evaluated: true }, { ...bare, bbox: [5, 5, '10', 10] })).rejects.toThrow(
    `${folder}/x.json: annotations[0] (id 1): bbox`,
  );
});

it('tells names that stand for two things', async () => {
  const { notes } = await open(['a.png', 'b.png', 'a.png', 'c.png']);
  expect(notes).toContain(
    `${folder}/x.json: 1 images have more than one record, the first one 'a.png' (images 1 and 3)`,
  );
  const annotations = join(folder, 'y.json');
  const categories = [3, 7, 9].map((id) => ({ id, name: id === 7 ? 'dog' : 'cat' }));
  writeFileSync(annotations, JSON.stringify({ images: [image(1, 'a.png')], categories, annotations: [] }));
  expect((await openDetectionDataset({ annotations, images: join(folder, 'images') })).notes).toContain(
    `${annotations}: 1 names stand for more than one category, the first one 'cat' (categories 3 and 9)`,
  );
});

it('counts boxes that reach beyond their images, and outlines that lie beside their boxes', async () => {
  const about = async (changes: object) =>
    (await open(['a.png', 'b.png', 'c.png'], {}, changes)).notes.filter((note) => !note.includes('categories'));
  expect(await about({ bbox: [-1, -1, 42, 32] })).toEqual([]);
  expect(await about({ bbox: [20, 5, 30, 15] })).toEqual([
    `${folder}/x.json: 1 of 1 boxes reach beyond their image; bbox is [x, y, width, height] in pixels`,
  ]);
  expect(await about({ segmentation: [[14, 14, 30, 14, 30, 25]] })).toEqual([]);
  expect(await about({ segmentation: [[0.1, 0.1, 0.4, 0.1, 0.4, 0.4]] })).toEqual([
    `${folder}/x.json: 1 outlines lie beside the box of their object, the first one that of annotation 1`,
  ]);
});

(process.platform === 'win32' ? it.skip : it)(
  'follows links out of the folder, which the owner of the data made, and no name that leads there',
  async () => {
    mkdirSync(join(folder, 'disk'));
    for (const name of ['a', 'b', 'c']) {
      symlinkSync(join(folder, 'images', `${name}.png`), join(folder, 'disk', `${name}.png`));
    }
    symlinkSync(join(folder, 'disk'), join(folder, 'images', 'more'));
    expect((await open(['a.png', 'more/b.png'])).samples).toHaveLength(2);
    expect((await open(['a.png', 'b.png'], { images: join(folder, 'images/more') })).samples).toHaveLength(2);
    for (const name of ['../disk/a.png', 'more/../../disk/a.png', `${folder}/disk/a.png`]) {
      await expect(open(['a.png', name])).rejects.toThrow(
        `${folder}/x.json: images[1] (id 2): file_name: expected a path below the folder of the images, received "${name}"`,
      );
    }
  },
);
