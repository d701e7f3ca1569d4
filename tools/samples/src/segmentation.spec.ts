/** The segmentation sample set: images, labels, classes, and the same bytes for the same seed. */
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { makeSegmentationSet } from './segmentation';

describe('makeSegmentationSet', () => {
  let home: string;
  beforeEach(async () => (home = await mkdtemp(join(tmpdir(), 'samples-'))));
  afterEach(() => rm(home, { recursive: true }));

  it('lays out images, grey labels of the same size and names, and five classes', async () => {
    const out = join(home, 'set');
    expect(await makeSegmentationSet(out, { seed: 1, train: 6, val: 2, size: 48 })).toBe(true);
    const found = new Set<number>();
    for (const [split, count] of [
      ['training', 6],
      ['validation', 2],
    ] as const) {
      const labels = await readdir(join(out, 'annotations', split));
      expect(labels).toHaveLength(count);
      expect(await readdir(join(out, 'images', split))).toEqual(labels.map((name) => name.replace('.png', '.jpg')));
      for (const name of labels) {
        const { data, info } = await sharp(join(out, 'annotations', split, name))
          .toColourspace('b-w')
          .raw()
          .toBuffer({ resolveWithObject: true });
        expect(info).toMatchObject({ width: 48, height: 48, channels: 1 });
        data.forEach((value) => found.add(value));
      }
    }
    const classes = JSON.parse(await readFile(join(out, 'classes.json'), 'utf8')) as string[];
    expect(classes).toHaveLength(5);
    expect(found.has(1)).toBe(true);
    expect(Math.min(...found)).toBe(1);
    expect(Math.max(...found)).toBeLessThanOrEqual(5);
    expect(found.size).toBeGreaterThan(3);
  });

  it('renders the same bytes from the same seed', async () => {
    for (const name of ['a', 'b']) await makeSegmentationSet(join(home, name), { seed: 2, train: 1, val: 0, size: 32 });
    for (const file of ['images/training/00000.jpg', 'annotations/training/00000.png']) {
      const [a, b] = await Promise.all(['a', 'b'].map((name) => readFile(join(home, name, file))));
      expect(a!.equals(b!)).toBe(true);
    }
  });
});
