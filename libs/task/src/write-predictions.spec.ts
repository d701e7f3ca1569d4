import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BrokenImageError } from '@pyramidal/images';
import { writePredictions } from './write-predictions';

const queue = {
  capacity: 2,
  run: async (_: unknown, name: string) => {
    if (name === 'broken.jpg') throw new BrokenImageError(name, 'premature end');
    return { length: name.length };
  },
};

describe('writePredictions', () => {
  let folder: string;
  let told: string[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'predictions-'));
    told = [];
    jest.spyOn(console, 'log').mockImplementation((line: string) => void told.push(line));
    jest.spyOn(console, 'error').mockImplementation((line: string) => void told.push(line));
  });
  afterEach(() => {
    jest.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });

  const out = () => join(folder, 'out');
  const read = (): unknown => JSON.parse(readFileSync(join(out(), 'predictions.json'), 'utf8'));

  it('writes a record and tells a line an image, and numbers the pictures', async () => {
    const paths: string[] = [];
    const code = await writePredictions(out(), (predictions) =>
      predictions.each(queue, ['x/a.jpg', 'y/a.png'], async ({ length }, image, path) => {
        paths.push(path);
        predictions.add(image, { record: { length }, summary: `found ${length}` });
      }),
    );
    expect(code).toBe(0);
    expect(paths).toEqual([join(out(), '0000-a'), join(out(), '0001-a')]);
    expect(read()).toEqual([
      { image: 'x/a.jpg', length: 7 },
      { image: 'y/a.png', length: 7 },
    ]);
    expect(told).toEqual(['x/a.jpg: found 7', 'y/a.png: found 7', `results in ${out()}`]);
  });

  it('skips images that cannot be read, names them at the end, and gives 1', async () => {
    const code = await writePredictions(out(), (predictions) =>
      predictions.each(queue, ['a.jpg', 'broken.jpg', 'c.jpg'], async (_, image) => {
        predictions.add(image, { record: {}, summary: 'good' });
      }),
    );
    expect(code).toBe(1);
    expect(read()).toEqual([{ image: 'a.jpg' }, { image: 'c.jpg' }]);
    expect(told.slice(2)).toEqual([
      `results in ${out()}`,
      '1 broken image was skipped:',
      '  broken.jpg: premature end',
    ]);
  });

  it('finds and draws large images one at a time', async () => {
    const images = ['small.png', 'large.png', 'large.png', 'broken.jpg', 'small.png', 'small.png'].map((name, i) => {
      const png = Buffer.from('89504e470d0a1a0a0000000d4948445200000000000000000802000000', 'hex');
      const side = name === 'large.png' ? 7000 : 40;
      png.writeUInt32BE(side, 16);
      png.writeUInt32BE(side, 20);
      const file = join(folder, `${i}-${name}`);
      writeFileSync(file, png);
      return file;
    });
    let held = 0;
    let lastBegan = (): void => undefined;
    const last = new Promise<void>((resolve) => (lastBegan = resolve));
    const most: Record<string, number> = {};
    const slow = {
      capacity: 3,
      run: async (_: unknown, name: string) => {
        const own = name.includes('large') ? 49 : 1;
        held += own;
        if (name.includes('5-small')) lastBegan();
        // Beside it there is room for the next one, which comes when its header has been read.
        await (name.includes('4-small') ? last : new Promise((resolve) => setTimeout(resolve, 2)));
        if (name.includes('broken')) held -= own;
        if (name.includes('broken')) throw new BrokenImageError(name, 'premature end');
        return { own };
      },
    };
    const code = await writePredictions(out(), (predictions) =>
      predictions.each(slow, images, async ({ own }, image) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        most[image.slice(folder.length + 1)] = held;
        held -= own;
        predictions.add(image, { record: {}, summary: 'good' });
      }),
    );
    expect(code).toBe(1);
    expect(most).toMatchObject({ '0-small.png': 1, '1-large.png': 49, '2-large.png': 49 });
    expect(most['4-small.png']).toBe(2);
    expect(held).toBe(0);
  });

  it('keeps what was found until an error ended the work', async () => {
    const work = writePredictions(out(), async (predictions) => {
      predictions.add('a.jpg', { record: { score: 1 }, summary: 'good' });
      throw new Error('the engine is gone');
    });
    await expect(work).rejects.toThrow('the engine is gone');
    expect(read()).toEqual([{ image: 'a.jpg', score: 1 }]);
    expect(readdirSync(out())).toEqual(['predictions.json']);
  });

  it('says in one line that nothing can be written, before anything is computed', async () => {
    writeFileSync(out(), 'a file where the folder would be');
    const find = jest.fn();
    await expect(writePredictions(out(), find)).rejects.toThrow(/out: cannot be written: .+/);
    expect(find).not.toHaveBeenCalled();
  });
});
