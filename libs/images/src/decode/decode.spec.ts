import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataFolder, describeWith } from '@pyramidal/testing';
import sharp from 'sharp';
import { BrokenImageError } from './broken-image';
import { checkImage, decodeImage, decodePicture, readImageHeader } from './decode';

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
    const turned = await decodeImage(file, { orientation: 'exif' });
    expect(turned).toMatchObject({ width: 20, height: 30 });
    const { data } = await decodeImage(file);
    expect(turned.data.slice(0, 3)).toEqual(data.slice(19 * 30 * 3, 19 * 30 * 3 + 3)); // bottom left comes to the top left
  });

  it('turns an ink picture too', async () => {
    expect(await decodeImage(fileOf('CMYK JPEG'), { orientation: 'exif' })).toMatchObject({ width: 30, height: 20 });
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
    expect((await failure(folder)).reason).toBe('cannot be decoded: is a folder, expected a file');
    const text = join(folder, 'text.jpg');
    await writeFile(text, 'not a picture');
    expect((await failure(text)).reason).toContain('expected JPEG, PNG, WebP, GIF or TIFF, received another format');
  });
});

describe('decodeImage on hostile input', () => {
  const noise = (side: number) => Uint8Array.from({ length: side * side * 3 }, (_, i) => (i * 7919) % 251);
  const photo = (side = 64) => sharp(noise(side), { raw: { width: side, height: side, channels: 3 } });
  const reasonOf = (source: string | Uint8Array, options = {}): Promise<string> =>
    decodeImage(source, options).then(
      ({ width, height }) => `${width}x${height}`,
      (error: BrokenImageError) => error.reason.replace('cannot be decoded: ', ''),
    );

  it.each([
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg" width="16000" height="16000"/>'],
    ['SVG', '<?xml version="1.0"?>\n<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>'],
    ['XML', '<?xml version="1.0"?><!-- a drawing --><svg/>'],
    ['PDF', '%PDF-1.4\n'],
    ['an HTML page', '<!DOCTYPE html><title>404</title>'],
    ['PNM', 'P6 16000 16000 255\n'],
    ['BMP', 'BM' + '\0'.repeat(60)],
    ['AVIF', '\0\0\0\x18ftypavif'],
    ['HEIF or a video', '\0\0\0\x18ftypheic'],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\n'],
    ['another format', '#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 16000 +X 16000\n'],
  ])('refuses %s, whatever its name', async (format, text) => {
    const expected = `expected JPEG, PNG, WebP, GIF or TIFF, received ${format}`;
    expect(await reasonOf(Buffer.from(text, 'latin1'))).toBe(expected);
  });

  it('refuses too many pixels by the header, in every format', async () => {
    for (const format of ['jpeg', 'png', 'webp', 'gif', 'tiff'] as const) {
      const bytes = await photo().toFormat(format).toBuffer();
      expect(await reasonOf(bytes, { maxPixels: 4096 })).toBe('64x64');
      expect(await reasonOf(bytes, { maxPixels: 4095 })).toBe(
        'expected at most 4095 pixels (maxPixels), received 64x64',
      );
    }
  });

  it('refuses by the header what its decoder would hold too much of', async () => {
    const bytes = await photo().webp({ lossless: true }).toBuffer();
    const side = 6999; // 14 bits each, less one
    bytes.writeUInt32LE(((bytes.readUInt32LE(21) & 0xf0000000) | side | (side << 14)) >>> 0, 21);
    expect(await reasonOf(bytes)).toBe(
      'expected at most 18750000 pixels of a WebP that is decoded as a whole, received 7000x7000; maxPixels: 130666667 would allow it',
    );
  });

  it('refuses a side longer than decoders can hold rows of', async () => {
    const wide = await sharp({ create: { width: 70_000, height: 1, channels: 3, background: '#123456' } })
      .png()
      .toBuffer();
    expect(await reasonOf(wide)).toBe('expected sides of at most 65535 pixels, received 70000x1');
  });

  it('needs neither time nor memory for a few bytes that promise a large picture', async () => {
    const bytes = await photo().jpeg().toBuffer();
    const frame = bytes.indexOf(Buffer.from('ffc0', 'hex'));
    bytes.writeUInt16BE(16000, frame + 5);
    bytes.writeUInt16BE(16000, frame + 7);
    const before = process.resourceUsage().maxRSS;
    const reasons = await Promise.all(Array.from({ length: 8 }, () => reasonOf(bytes)));
    expect(new Set(reasons)).toEqual(new Set(['expected at most 50000000 pixels (maxPixels), received 16000x16000']));
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(100_000); // kB
  });

  it.each([false, true])(
    'notices a JPEG cut in the middle that has an end marker (progressive: %s)',
    async (progressive) => {
      const whole = await photo(256).jpeg({ progressive }).toBuffer();
      const end = Buffer.of(0xff, 0xd9);
      expect(await reasonOf(Buffer.concat([whole.subarray(0, whole.length >> 1), end]))).toMatch(/premature end/);
      const surplus = Buffer.concat([whole.subarray(0, -2), Buffer.of(1, 2, 3), end, Buffer.from('<?php ?>')]);
      expect(await reasonOf(surplus)).toBe('256x256');
    },
  );

  it('takes the first frame of an animation', async () => {
    const frames = { raw: { width: 64, height: 128, channels: 3, pageHeight: 64 } } as const;
    const gif = await sharp(Buffer.alloc(64 * 128 * 3), frames)
      .gif({ delay: [50, 50] })
      .toBuffer();
    expect(await reasonOf(gif)).toBe('64x64');
  });

  it('reads no file that holds far more bytes than its pixels could need', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sparse-'));
    const file = join(folder, 'x.jpg');
    await writeFile(file, await photo().jpeg().toBuffer());
    await truncate(file, 700 << 20);
    expect(await reasonOf(file)).toMatch(/^has 734003200 bytes, expected at most 33587200$/);
    const large = await photo().png().toBuffer();
    for (const at of [16, 20]) large.writeUInt32BE(7000, at);
    await writeFile(file, large);
    await truncate(file, 700 << 20);
    expect(await reasonOf(file)).toMatch(/^has 734003200 bytes, expected at most 250000000$/);
    await rm(folder, { recursive: true });
  });

  it('leaves a large file on the disk, whatever its name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'large-'));
    const pixels = randomBytes(3 * 2400 * 2400);
    const raw = { width: 2400, height: 2400, channels: 3 } as const;
    const bytes = await sharp(pixels, { raw }).png({ compressionLevel: 0 }).toBuffer();
    expect(bytes.length).toBeGreaterThan(16 << 20);
    for (const name of ['a photo.png', 'x.png[shrink=2]', 'x[1].png']) {
      const file = join(folder, name);
      await writeFile(file, bytes);
      const { data } = await decodeImage(file);
      expect(Buffer.compare(data, pixels)).toBe(0);
      await truncate(file, bytes.length - 5000);
      expect(await reasonOf(file)).toMatch(/read error|end of|truncated/i);
    }
    await rm(folder, { recursive: true });
  });

  it('waits for no device and no pipe', async () => {
    expect(await reasonOf('/dev/zero')).toMatch(/^is a .*device, expected a file$/);
    expect(await reasonOf(join(__filename, 'x.jpg'))).toBe('a part of the path is not a folder');
  });

  it('gives the reason of every failure, also of many at the same time', async () => {
    const whole = await photo(256).jpeg().toBuffer();
    const png = await photo(256).png().toBuffer();
    const cut = [whole.subarray(0, whole.length >> 1), png.subarray(0, png.length >> 1)];
    const reasons = await Promise.all(Array.from({ length: 64 }, (_, i) => reasonOf(cut[i % 2]!)));
    expect(reasons.filter((reason) => /Unknown error|^\d+x\d+$/.test(reason))).toEqual([]);
  });
});

describe('decodePicture', () => {
  const file = join(tmpdir(), `picture-${process.pid}`);
  afterEach(() => rm(file, { force: true }));

  it('gives the picture as it is', async () => {
    await writeFile(file, fileOf('RGB PNG'));
    expect(await decodePicture(file)).toEqual(await decodeImage(file));
  });

  it.each(['jpeg', 'png'] as const)('gives a very large %s smaller, turned as asked', async (format) => {
    const create = { width: 6000, height: 4000, channels: 3, background: '#c03010' } as const;
    await writeFile(file, await sharp({ create }).withMetadata({ orientation: 6 }).toFormat(format).toBuffer());
    const stored = await decodePicture(file);
    expect([stored.width, stored.height, stored.data.length]).toEqual([2449, 1632, 2449 * 1632 * 3]);
    const turned = await decodePicture(file, { orientation: 'exif' });
    expect([turned.width, turned.height]).toEqual([1632, 2449]);
    expect(await checkImage(file)).toEqual({ width: 6000, height: 4000 });
    expect(await checkImage(file, { orientation: 'exif' })).toEqual({ width: 4000, height: 6000 });
    const [red, green, blue] = turned.data;
    expect([red! - 0xc0, green! - 0x30, blue! - 0x10].every((off) => Math.abs(off) <= 2)).toBe(true);
  });
});

describe('readImageHeader', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'header-'))));
  afterEach(() => rm(folder, { recursive: true }));

  it.each(['jpeg', 'png', 'webp', 'tiff', 'gif'] as const)('reads size and orientation of %s', async (format) => {
    const picture = sharp({ create: { width: 40, height: 30, channels: 3, background: '#123456' } });
    const oriented = format === 'gif' ? picture : picture.withMetadata({ orientation: 6 });
    const file = join(folder, `x.${format}`);
    await writeFile(file, await oriented.toFormat(format).toBuffer());
    const orientation = format === 'gif' ? 1 : 6;
    expect(await readImageHeader(file)).toMatchObject({ width: 40, height: 30, orientation });
    const turned = await decodeImage(file, { orientation: 'exif' });
    expect(turned.width).toBe(format === 'gif' ? 40 : 30);
  });

  it('finds the orientation of a WebP behind its pixels, however many they are', async () => {
    const pixels = randomBytes(400 * 300 * 3);
    const raw = { width: 400, height: 300, channels: 3 } as const;
    const webp = sharp(pixels, { raw }).withMetadata({ orientation: 6 }).webp({ lossless: true });
    const file = join(folder, 'x.webp');
    await writeFile(file, await webp.toBuffer());
    expect((await readFile(file)).length).toBeGreaterThan(128 * 1024);
    expect(await readImageHeader(file)).toMatchObject({ width: 400, height: 300, orientation: 6 });
    expect(await decodeImage(file, { orientation: 'exif' })).toMatchObject({ width: 300, height: 400 });
  });

  it('agrees with the decoder on every golden picture', async () => {
    for (const { file, image, name } of cases) {
      const path = join(folder, 'x');
      await writeFile(path, Buffer.from(file, 'base64'));
      const { width, height } = await readImageHeader(path);
      expect([name, width, height]).toEqual([name, image.width, image.height]);
    }
  });

  it('survives every cut of a file', async () => {
    const { data } = { data: fileOf('JPEG with EXIF orientation') };
    const path = join(folder, 'x.jpg');
    for (let length = 0; length < 400; length += 3) {
      await writeFile(path, data.subarray(0, length));
      const outcome = await readImageHeader(path).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(BrokenImageError);
    }
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
