import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataFolder, describeWith } from '@pyramidal/testing';
import { BrokenImageError, decodeImage } from './decode';

interface GoldenCase {
  readonly name: string;
  readonly file: string;
  readonly image: { width: number; height: number; data: string };
}

const fixture = <T>(name: string) => JSON.parse(readFileSync(join(__dirname, '../../fixtures', name), 'utf8')) as T;
const { cases } = fixture<{ cases: GoldenCase[] }>('decode.json');
const fileOf = (name: string) => Buffer.from(cases.find((item) => item.name === name)!.file, 'base64');

describe('decodeImage', () => {
  it.each(cases.map((item) => [item.name, item] as const))('gives the reference pixels of a %s', async (_, item) => {
    const { width, height, data } = item.image;
    expect(await decodeImage(Buffer.from(item.file, 'base64'))).toEqual({
      width,
      height,
      data: new Uint8Array(Buffer.from(data, 'base64')),
    });
  });

  it('turns a picture by its EXIF tag only when asked to', async () => {
    const file = fileOf('JPEG with EXIF orientation');
    expect(await decodeImage(file)).toMatchObject({ width: 30, height: 20 });
    const turned = await decodeImage(file, { orient: true });
    expect(turned).toMatchObject({ width: 20, height: 30 });
    const { data } = await decodeImage(file);
    expect(turned.data.slice(0, 3)).toEqual(data.slice(19 * 30 * 3, 19 * 30 * 3 + 3)); // bottom left comes to the top left
  });

  it('turns an ink picture too', async () => {
    expect(await decodeImage(fileOf('CMYK JPEG'), { orient: true })).toMatchObject({ width: 30, height: 20 });
  });
});

describe('decodeImage on bad input', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'decode-'))));
  afterEach(() => rm(folder, { recursive: true }));

  async function failure(source: string | Uint8Array): Promise<BrokenImageError> {
    const error = await decodeImage(source).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BrokenImageError);
    return error as BrokenImageError;
  }

  it('names a truncated file', async () => {
    const file = join(folder, 'half.jpg');
    const whole = fileOf('baseline 4:2:0 JPEG');
    await writeFile(file, whole.subarray(0, whole.length - 60));
    const error = await failure(file);
    expect(error.image).toBe(file);
    expect(error.message).toMatch(/half\.jpg: cannot be decoded: .+/);
    expect(error.message).not.toContain('\n');
  });

  it.each(['baseline 4:2:0 JPEG', 'progressive 4:4:4 JPEG', 'RGB PNG', 'lossy WebP', 'CMYK JPEG'])(
    'notices a %s cut anywhere',
    async (name) => {
      const whole = fileOf(name);
      for (const share of [0, 0.01, 0.3, 0.6]) await failure(whole.subarray(0, Math.floor(whole.length * share)));
    },
  );

  it('names a missing file, a folder and a text', async () => {
    expect((await failure(join(folder, 'gone.jpg'))).message).toContain('gone.jpg: cannot be decoded: no such file');
    expect((await failure(folder)).reason).toBe('it is a folder');
    const text = join(folder, 'text.jpg');
    await writeFile(text, 'not a picture');
    expect((await failure(text)).reason).toContain('unsupported image format');
  });
});

describeWith(dataFolder(), 'decodeImage on real images', (data) => {
  it('gives the pixels that Pillow and OpenCV give, byte for byte', async () => {
    const { digests } = fixture<{ digests: Record<string, string> }>('digests.json');
    const different: string[] = [];
    for (const [file, digest] of Object.entries(digests)) {
      const { data: pixels } = await decodeImage(join(data, file));
      if (createHash('sha1').update(pixels).digest('hex') !== digest) different.push(file);
    }
    expect(Object.keys(digests).length).toBeGreaterThan(400);
    expect(different).toEqual([]);
  });
});
