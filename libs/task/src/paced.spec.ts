import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import sharp from 'sharp';
import { PacedImages } from './paced';

describe('PacedImages', () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'paced-'))));
  afterAll(() => rm(folder, { recursive: true }));

  /** A JPEG of which no more than the header is read. */
  async function headerOf(name: string, side: number, options: sharp.JpegOptions = {}): Promise<string> {
    const create = { width: 8, height: 8, channels: 3 as const, background: 'gray' };
    const bytes = await sharp({ create }).jpeg(options).toBuffer();
    const frame = bytes.findIndex((byte, at) => byte === 0xff && [0xc0, 0xc2].includes(bytes[at + 1]!));
    for (const at of [5, 7]) bytes.writeUInt16BE(side, frame + at);
    await writeFile(join(folder, name), bytes);
    return join(folder, name);
  }

  it('hands out as many as have room, and the next when one of them is done with', async () => {
    // 75 MB, 75 MB and, of coefficients that are all held, 64 MB
    const progressive = await headerOf('c', 2667, { progressive: true, chromaSubsampling: '4:4:4' });
    const files = [await headerOf('a', 5000), await headerOf('b', 5000), progressive, 'none'];
    const paced = new PacedImages(files);
    const handedOut: string[] = [];
    const all = (async () => {
      for await (const file of paced) handedOut.push(file);
    })();
    const until = async (count: number) => {
      while (handedOut.length < count) await setTimeout(5);
      await setTimeout(50);
      expect(handedOut).toEqual(files.slice(0, count));
    };
    await until(2);
    paced.finish();
    await until(4);
    for (let i = 0; i < 3; i++) paced.finish();
    await all;
  });
});
