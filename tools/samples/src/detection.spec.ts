/** The detection sample set: boxes, areas, masks, and the same bytes for the same seed. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COCO, mask, type Rle } from '@cocoeval/ts';
import sharp from 'sharp';
import { makeDetectionSet } from './detection';

const SPLITS = { train: 12, val: 4 } as const;
const python = process.env['PYRAMIDAL_PYTHON'];

describe('makeDetectionSet', () => {
  let home: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'samples-'));
    expect(await makeDetectionSet(join(home, 'set'), { seed: 1, ...SPLITS, size: 64 })).toBe(true);
  });
  afterAll(() => rm(home, { recursive: true }));

  const annotationsOf = (split: keyof typeof SPLITS, set = 'set') =>
    join(home, set, 'annotations', `instances_${split}.json`);
  const open = async (split: keyof typeof SPLITS) => new COCO(await readFile(annotationsOf(split), 'utf8'));

  it.each(['train', 'val'] as const)('describes the images of %s, each of which has several objects', async (split) => {
    const coco = await open(split);
    expect([...coco.imgs.values()].map(({ file_name }) => file_name)).toEqual(await readdir(join(home, 'set', split)));
    for (const { id, file_name } of coco.imgs.values()) {
      const picture = await sharp(join(home, 'set', split, file_name!)).metadata();
      expect(picture).toMatchObject({ format: 'jpeg', width: 64, height: 64 });
      expect(coco.imgToAnns.get(id)!.length).toBeGreaterThanOrEqual(2);
    }
    expect(coco.imgs.size).toBe(SPLITS[split]);
    const categories = new Set([...coco.anns.values()].map(({ category_id }) => category_id));
    expect([...categories].sort()).toEqual(coco.categories.map(({ id }) => id));
  });

  it('gives every object the bounds and the area of its mask', async () => {
    for (const { bbox, area, segmentation } of (await open('train')).anns.values()) {
      const { data, width } = mask.decode(segmentation as Rle);
      const pixels = Array.from(data.keys()).filter((pixel) => data[pixel]);
      const [xs, ys] = [pixels.map((pixel) => pixel % width), pixels.map((pixel) => Math.floor(pixel / width))];
      const [x, y] = [Math.min(...xs), Math.min(...ys)];
      expect(bbox).toEqual([x, y, Math.max(...xs) + 1 - x, Math.max(...ys) + 1 - y]);
      expect(area).toBe(pixels.length);
      expect(area).toBeGreaterThan(20);
    }
  });

  it('hides parts of objects behind others, whose masks never share a pixel', async () => {
    const coco = await open('train');
    let cut = 0;
    for (const annotations of coco.imgToAnns.values()) {
      const masks = annotations.map(({ segmentation }) => segmentation as Rle);
      const areas = annotations.reduce((sum, { area }) => sum + area!, 0);
      expect(mask.area(mask.merge(masks))).toBe(areas);
      // What lies in front reaches into the box of what it hides.
      cut += annotations.filter(({ bbox }, i) => {
        const box = mask.fromBoxes([bbox!], 64, 64)[0]!;
        return masks.some((other, j) => j > i && mask.area(mask.merge([box, other], true)) > 0);
      }).length;
    }
    expect(cut).toBeGreaterThan(coco.anns.size / 4);
  });

  it('renders the same bytes from the same seed, and others from another', async () => {
    for (const [name, seed] of [
      ['again', 1],
      ['other', 2],
    ] as const)
      await makeDetectionSet(join(home, name), { seed, ...SPLITS, size: 64 });
    const bytesOf = (set: string) =>
      Promise.all([annotationsOf('val', set), join(home, set, 'val/00003.jpg')].map((file) => readFile(file, 'hex')));
    expect(await bytesOf('again')).toEqual(await bytesOf('set'));
    expect(await bytesOf('other')).not.toEqual(await bytesOf('set'));
  });

  it('has the kinds of shapes that are asked for', async () => {
    const [name, kinds] = ['kinds', ['dotted-circle', 'checked-star']];
    const options = { seed: 1, ...SPLITS, size: 64 };
    expect(await makeDetectionSet(join(home, name), { ...options, kinds })).toBe(true);
    expect(await makeDetectionSet(join(home, name), { ...options, kinds })).toBe(false);
    const { categories } = new COCO(await readFile(annotationsOf('val', name), 'utf8'));
    expect(categories.map(({ id, name }) => [id, name])).toEqual([
      [1, 'dotted circle'],
      [2, 'checked star'],
    ]);
    await expect(makeDetectionSet(join(home, 'unknown'), { ...options, kinds: ['round-square'] })).rejects.toThrow(
      /^expected a kind of striped-circle, .+, received 'round-square'$/,
    );
  });

  (python ? it : it.skip)('is valid for pycocotools, with PYRAMIDAL_PYTHON', () => {
    const script = `
import sys
from pycocotools import mask
from pycocotools.coco import COCO
coco = COCO(sys.argv[1])
for annotation in coco.anns.values():
    rle = coco.annToRLE(annotation)
    assert mask.toBbox(rle).tolist() == annotation['bbox'] and mask.area(rle) == annotation['area']
print('valid', len(coco.anns))
`;
    const output = execFileSync(python!, ['-c', script, annotationsOf('train')], { encoding: 'utf8' });
    expect(output).toMatch(/valid [1-9]/);
  });
});
