/** Records in COCO's format: what is read of them, and what is refused. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDetectionDataset, readDetectionClasses, requireSameClasses } from './dataset';
import { image, type Json, makeToyFolder, object, type ToyFolder } from './testing/toy-folder';

let toy: ToyFolder;
let folder: string;
let open: ToyFolder['open'];

beforeAll(async () => {
  toy = await makeToyFolder();
  ({ folder, open } = toy);
});
afterAll(() => toy.remove());

describe('openDetectionDataset', () => {
  it('gives labels from 0 and boxes by their corners', async () => {
    const { classes, samples, dropped } = await open({ annotations: [object(1), object(2, { category_id: 90 })] });
    expect(classes).toEqual([
      { categoryId: 7, name: 'first' },
      { categoryId: 90, name: 'second' },
    ]);
    expect(samples[0]!.objects.map(({ label, box }) => [label, box])).toEqual([
      [0, [5, 5, 15, 15]],
      [1, [5, 5, 15, 15]],
    ]);
    expect(dropped).toEqual([]);
  });

  it('leaves out boxes that no detector can learn from, and says which', async () => {
    const boxes = [[5, 5, 0, 10], [5, 5, 0.5, 10], [100, 100, 10, 10], [-20, 5, 10, 10]]; // prettier-ignore
    const annotations = [object(1), ...boxes.map((bbox, i) => object(10 + i, { bbox })), object(20, { area: 0 })];
    const { samples, dropped, notes } = await open({ annotations });
    expect(samples[0]!.objects).toHaveLength(1);
    expect(dropped.map(({ id }) => id)).toEqual([10, 11, 12, 13, 20]);
    expect(notes).toContain(
      `${join(folder, 'annotations.json')}: 5 objects are left out: 2 with a box less than a pixel wide or high, ` +
        '2 with a box outside of its image, 1 with an area of 0 (annotations 10, 11, 12, 13, 20)',
    );
  });

  it('finds images in folders of their own', async () => {
    const nested = join(folder, 'town one/ünal');
    mkdirSync(nested, { recursive: true });
    copyFileSync(join(folder, 'a.png'), join(nested, 'a.png'));
    const images = [image(1, 'town one/ünal/a', 40, 30), image(2, 'a', 40, 30)];
    const { samples } = await open({ images });
    expect(samples.map(({ file }) => file)).toEqual([join(nested, 'a.png'), join(folder, 'a.png')]);
    await expect(open({ images: [image(1, 'town one/a', 40, 30)] })).rejects.toThrow(
      `1 of 1 images are not there, the first one ${join(folder, 'town one/a.png')}`,
    );
  });

  it('opens one side of a split, the same whatever is done with images without objects', async () => {
    const images = Array.from({ length: 10 }, (_, i) => image(i + 1, 'a', 40, 30));
    const annotations = images.slice(0, 5).map(({ id }) => object(id as number, { image_id: id }));
    const idsOf = async (of: Json[], take: 'training' | 'validation', emptyImages: 'keep' | 'filter' = 'keep') => {
      const part = { share: 0.3, seed: 2, take };
      return (await open({ images: of, annotations }, { part, emptyImages })).samples.map(({ id }) => id);
    };
    const [training, validation] = [await idsOf(images, 'training'), await idsOf(images, 'validation')];
    expect(validation).toHaveLength(3);
    expect([...training, ...validation].sort((a, b) => a - b)).toEqual(images.map(({ id }) => id));
    expect(await idsOf([...images].reverse(), 'validation')).toEqual(validation);
    expect(await idsOf(images, 'training', 'filter')).toEqual(training.filter((id) => id <= 5));
  });

  it('keeps crowds apart; an image of crowds alone counts as empty', async () => {
    const crowd = object(1, { iscrowd: 1, segmentation: { size: [30, 40], counts: [1200] } });
    const kept = await open({ annotations: [crowd] });
    expect(kept.samples.map(({ objects, crowds }) => [objects.length, crowds.length])).toEqual([[0, 1]]);
    const images = [image(1, 'a', 40, 30), image(2, 'b', 30, 40)];
    const annotations = [crowd, object(2, { image_id: 2, segmentation: undefined })];
    expect((await open({ images, annotations }, { emptyImages: 'filter' })).samples.map(({ id }) => id)).toEqual([2]);
  });

  it.each<[string, Json, string]>([
    [
      'an image id twice',
      { images: [image(1, 'a', 40, 30), image(1, 'b', 30, 40)] },
      'images[1]: id: expected an id that no other image has, received 1',
    ],
    [
      'an image that is not there',
      { images: [image(1, 'a', 40, 30), image(2, 'gone', 4, 4)] },
      '1 of 2 images are not there, the first one',
    ],
    [
      'an annotation of no image',
      { annotations: [object(3, { image_id: 9 })] },
      'annotations[0] (id 3): image_id: expected the id of an image of this file, received 9',
    ],
    [
      'a missing category',
      { annotations: [object(3, { category_id: 8 })] },
      'annotations[0] (id 3): category_id: expected the id of a category of this file, received 8',
    ],
    [
      'a polygon of two points',
      { annotations: [object(3, { segmentation: [[1, 1, 2, 2]] })] },
      'annotations[0] (id 3): segmentation[0]: expected a polygon of at least three points, received [1,1,2,2]',
    ],
    [
      'a box of three numbers',
      { annotations: [object(3, { bbox: [1, 2, 3] })] },
      'annotations[0] (id 3): bbox: expected 4 finite numbers, received 3 values',
    ],
    [
      'an image without size',
      { images: [{ id: 1, file_name: 'a.png' }] },
      'images[0] (id 1): height: expected whole pixels, received nothing',
    ],
    [
      'a size that is text',
      { images: [{ ...image(1, 'a', 40, 30), width: '40' }] },
      'images[0] (id 1): width: expected whole pixels, received "40"',
    ],
    [
      'a file name that is a number',
      { images: [{ ...image(1, 'a', 40, 30), file_name: 7 }] },
      'images[0] (id 1): file_name: expected text, received 7',
    ],
    [
      'a crowd that is text',
      { annotations: [object(3, { iscrowd: '0' })] },
      'annotations[0] (id 3): iscrowd: expected 0 or 1, received "0"',
    ],
    [
      'a mask of another size than its image',
      { annotations: [object(3, { segmentation: { size: [40, 30], counts: [1200] } })] },
      'annotations[0] (id 3): segmentation.size: expected [30,40] as image 1 has, received [40,30]',
    ],
    [
      'a mask that would fill the memory',
      { annotations: [object(3, { segmentation: { size: [46340, 46340], counts: [46340 * 46340] } })] },
      'annotations[0] (id 3): segmentation.size: expected [30,40] as image 1 has',
    ],
    [
      'a mask whose runs are too few',
      { annotations: [object(3, { segmentation: { size: [30, 40], counts: [7] } })] },
      'annotations[0] (id 3): segmentation.counts',
    ],
    [
      'a negative width',
      { annotations: [object(3, { bbox: [5, 5, -2, 3] })] },
      'annotations[0] (id 3): bbox: expected a width and height of at least 0',
    ],
    [
      'an area that is text',
      { annotations: [object(3, { area: '7' })] },
      'annotations[0] (id 3): area: expected a finite number, received "7"',
    ],
    [
      'a polygon that reaches beyond all pictures',
      { annotations: [object(3, { segmentation: [[1, 1, 5e8, 2, 3, 3]] })] },
      'annotations[0] (id 3): segmentation',
    ],
    ...['../a.png', '/etc/passwd', 'x/../../a.png', 'a\0.png'].map((name): [string, Json, string] => [
      `the file name ${JSON.stringify(name)}`,
      { images: [{ ...image(1, 'a', 40, 30), file_name: name }] },
      'images[0] (id 1): file_name: expected a path below the folder of the images, received',
    ]),
    [
      'an image that is not of its annotated size',
      { images: [image(1, 'a', 30, 40)] },
      'a.png: expected 30x40 pixels as its labels have, received 40x30',
    ],
  ])('names %s', async (_, changes, message) => {
    // prettier-ignore
    await expect(open(changes)).rejects.toThrow(message);
  });

  it('names the file and the reason where no image is left', async () => {
    const annotations = [object(1, { area: 0 }), object(2, { area: 0 }), object(3, { bbox: [90, 90, 5, 5] })];
    await expect(open({ annotations }, { emptyImages: 'filter' })).rejects.toThrow(
      `${join(folder, 'annotations.json')}: expected at least one image with an object, received none: 1 images, ` +
        '3 annotations; left out: 2 with an area of 0, 1 with a box outside of its image (annotations 1, 2, 3)',
    );
    await expect(open({ images: [], annotations: [] })).rejects.toThrow('expected at least one image, received none');
  });

  it('refuses what evaluation would refuse, where evaluation follows', async () => {
    const annotations = [object(4, { area: undefined })];
    expect((await open({ annotations })).samples[0]!.objects).toHaveLength(1);
    await expect(open({ annotations }, { evaluated: true })).rejects.toThrow(
      'annotations[0] (id 4): area: expected a finite number, received nothing',
    );
  });

  it('refuses more annotations of one image than a thread can be sent', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => object(i + 1));
    expect((await open({ annotations: many(1000) })).samples[0]!.objects).toHaveLength(1000);
    await expect(open({ annotations: many(100_001) })).rejects.toThrow(
      'annotations.json: image 1: expected at most 100000 annotations of one image, received 100001',
    );
  });

  it('draws what is left of a polygon, as evaluation does', async () => {
    const { samples } = await open({ annotations: [object(1, { segmentation: [[1, 1, 9, 1, 9, 9, 4], [1, 1, 2, 2]] })] }); // prettier-ignore
    expect(samples[0]!.objects[0]!.segmentation).toEqual([[1, 1, 9, 1, 9, 9]]);
  });
});

describe('requireSameClasses', () => {
  const set = (name: string, ...names: string[]) => ({
    name,
    classes: names.map((text, i) => ({ categoryId: i + 1, name: text })),
  });
  const [train] = [set('data.train', 'red', 'blue')];

  it('takes the same ids with the same names', () => {
    expect(() => requireSameClasses(train, set('data.val', 'red', 'blue'))).not.toThrow();
  });

  it.each([
    ['swapped names', set('data.val', 'blue', 'red'), "data.val: category 1 is 'red' in data.train and 'blue' here"],
    ['a missing one', set('data.val', 'red'), "data.val: category 2 is 'blue' in data.train and is missing here"],
    ['one more', set('data.val', 'red', 'blue', 'x'), "data.val: category 3 is 'x' here and is missing in data.train"],
  ])('refuses %s in one line', (_, val, message) => {
    expect(() => requireSameClasses(train, val)).toThrow(expect.objectContaining({ message, exitCode: 2 }));
  });
});

describe('files', () => {
  const annotations = (): string => join(folder, 'annotations.json');

  it('that are not there or no JSON are named', async () => {
    await open({});
    const images = join(folder, 'nowhere');
    await expect(openDetectionDataset({ annotations: annotations(), images })).rejects.toThrow(
      'nowhere: no such file or folder',
    );
    const none = join(folder, 'none.json');
    await expect(openDetectionDataset({ annotations: none, images: folder })).rejects.toThrow(
      'none.json: no such file',
    );
    writeFileSync(annotations(), '{"images": [');
    await expect(openDetectionDataset({ annotations: annotations(), images: folder })).rejects.toThrow(
      'annotations.json: not valid JSON',
    );
  });

  it('of categories alone give the classes', async () => {
    writeFileSync(annotations(), JSON.stringify({ categories: [{ id: 9, name: 'b' }, { id: 4 }] }));
    expect(await readDetectionClasses(annotations())).toEqual([
      { categoryId: 4, name: '4' },
      { categoryId: 9, name: 'b' },
    ]);
    writeFileSync(annotations(), '{}');
    await expect(readDetectionClasses(annotations())).rejects.toThrow(
      'annotations.json: categories: expected a list, received nothing',
    );
  });
});
