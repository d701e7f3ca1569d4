import sharp from 'sharp';
import { readHeader } from './header';
import { MemoryBudget, pictureBytes } from './memory-budget';

describe('MemoryBudget', () => {
  it('keeps the bytes in work within the budget, in the order of their coming, and lets a larger picture in alone', async () => {
    const budget = new MemoryBudget(10);
    let inWork = 0;
    const seen: string[] = [];
    const job = async (bytes: number) => {
      const leave = await budget.enter(bytes);
      inWork += bytes;
      seen.push(`${bytes} of ${inWork}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
      inWork -= bytes;
      leave();
    };
    await Promise.all([4, 6, 5, 25, 1].map(job));
    expect(seen).toEqual(['4 of 4', '6 of 10', '5 of 5', '25 of 25', '1 of 1']);
  });
});

describe('pictureBytes', () => {
  const picture = sharp({ create: { width: 40, height: 50, channels: 3, background: 'gray' } });
  it.each([
    ['a JPEG', picture.clone().jpeg(), 3],
    ['a JPEG in scans that refine each other', picture.clone().jpeg({ progressive: true }), 6],
    ['such a JPEG with all of its colours', picture.clone().jpeg({ progressive: true, chromaSubsampling: '4:4:4' }), 9],
    ['a JPEG of inks', picture.clone().toColourspace('cmyk').jpeg({ progressive: true }), 11],
    ['a PNG', picture.clone().png(), 3],
    ['an interlaced PNG', picture.clone().png({ progressive: true }), 6],
    ['an interlaced PNG of 16 bits', picture.clone().toColourspace('rgb16').png({ progressive: true }), 9],
    ['a GIF', picture.clone().gif(), 7],
    ['a lossy WebP', picture.clone().webp(), 11],
    ['a lossless WebP', picture.clone().webp({ lossless: true }), 11],
  ])('counts what the decoder holds of %s', async (_, made, bytes) => {
    expect(pictureBytes(readHeader(await made.toBuffer())!)).toBe(bytes * 40 * 50);
  });
});
