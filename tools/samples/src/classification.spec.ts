/** The classification sample set: layout, and the same bytes for the same seed. */
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { makeClassificationSet } from './classification';

const options = { seed: 3, train: 16, val: 8, size: 48 };

describe('makeClassificationSet', () => {
  let home: string;
  beforeEach(async () => (home = await mkdtemp(join(tmpdir(), 'samples-'))));
  afterEach(() => rm(home, { recursive: true }));

  const firstImage = async (out: string) => readFile(join(out, 'train', 'striped-circle', '00000.jpg'));

  it('lays out the classes evenly over both splits', async () => {
    const out = join(home, 'set');
    await makeClassificationSet(out, options);
    const classes = JSON.parse(await readFile(join(out, 'classes.json'), 'utf8')) as { folder: string }[];
    expect(classes).toHaveLength(8);
    for (const { folder } of classes) {
      expect(await readdir(join(out, 'train', folder))).toHaveLength(2);
      expect(await readdir(join(out, 'val', folder))).toHaveLength(1);
    }
    expect(await sharp(await firstImage(out)).metadata()).toMatchObject({ format: 'jpeg', width: 48, height: 48 });
  });

  it('renders the same bytes from the same seed, and others from another', async () => {
    for (const [name, seed] of [
      ['a', 3],
      ['b', 3],
      ['c', 4],
    ] as const)
      await makeClassificationSet(join(home, name), { ...options, seed });
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => firstImage(join(home, name))));
    expect(a!.equals(b!)).toBe(true);
    expect(a!.equals(c!)).toBe(false);
  });

  it('renders once, and again only for other parameters', async () => {
    const out = join(home, 'set');
    expect(await makeClassificationSet(out, options)).toBe(true);
    const { mtimeMs } = await stat(join(out, 'classes.json'));
    expect(await makeClassificationSet(out, options)).toBe(false);
    expect((await stat(join(out, 'classes.json'))).mtimeMs).toBe(mtimeMs);
    expect(await makeClassificationSet(out, { ...options, train: 8 })).toBe(true);
    expect(await readdir(join(out, 'train', 'striped-circle'))).toHaveLength(1);
    expect(await readdir(home)).toEqual(['set']);
  });

  it('leaves a folder alone that is not a sample set', async () => {
    await writeFile(join(home, 'thesis.txt'), 'mine');
    await expect(makeClassificationSet(home, options)).rejects.toThrow('holds files that are not a sample set');
    expect(await readFile(join(home, 'thesis.txt'), 'utf8')).toBe('mine');
  });
});
