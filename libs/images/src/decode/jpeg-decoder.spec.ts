import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dataFolder, describeWith, hasNative, onEngines, openEngine } from '@pyramidal/testing';
import { Random } from '@pyramidal/random';
import sharp from 'sharp';
import type { RgbImage } from '../rgb-image';
import { decodeImage, decodePicture } from './decode';
import { decodeResized } from './decode-resized';
import { useJpegDecoder } from './jpeg-decoder';
import type { DecodeOptions } from './pixels';

interface Jpeg {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: Buffer;
}

const fixture = (name: string): string => join(__dirname, '../../fixtures', name);
const readJson = (name: string): unknown => JSON.parse(readFileSync(fixture(name), 'utf8'));
const jpegs: readonly Jpeg[] = (readJson('jpegs.json') as (Omit<Jpeg, 'bytes'> & { file: string })[]).map(
  ({ file, ...jpeg }) => ({ ...jpeg, bytes: Buffer.from(file, 'base64') }),
);
const oneOf = (name: string): Jpeg => jpegs.find((jpeg) => jpeg.name === name && jpeg.width === 50)!;

afterEach(() => useJpegDecoder(undefined));

describe('useJpegDecoder', () => {
  beforeEach(() => useJpegDecoder(fixture('grey-decoder.cjs')));
  const isGrey = ({ data }: RgbImage): boolean => data.every((value) => value === 128);

  it.each([
    ['4:2:0', true],
    ['grey', true],
    ['RGB', true],
    ['progressive', false],
    ['CMYK', false],
  ])('decodes a JPEG (%s) if it goes on row by row and has no inks', async (name, isTaken) => {
    expect(isGrey(await decodeImage(oneOf(name).bytes))).toBe(isTaken);
  });

  it('leaves what it fails at, turned and smaller pictures, and other formats as they are', async () => {
    const { bytes } = oneOf('4:2:0');
    const turned = await sharp(bytes).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const large = await sharp(bytes).resize(4000, 4000).jpeg().toBuffer();
    const others: [Uint8Array, DecodeOptions?][] = [
      [jpegs.find(({ name, width }) => name === 'RGB' && width === 1)!.bytes],
      [turned, { orientation: 'exif' }],
      [large],
      [await sharp(bytes).png().toBuffer()],
    ];
    for (const [file, options] of others) expect(isGrey(await decodeImage(file, options))).toBe(false);
    expect(isGrey(await decodePicture(large))).toBe(false);
    expect(isGrey(await decodeImage(turned))).toBe(true);
  });

  it('decodes what is resized afterwards', async () => {
    const plan = () => [{ width: 9, height: 8, convention: 'pillow-bicubic' } as const];
    const { images } = await decodeResized(oneOf('4:4:4').bytes, {}, plan);
    expect(isGrey(images[0]!)).toBe(true);
  });
});

/** Its pixels, or why there are none. */
const outcome = (bytes: Uint8Array): Promise<unknown> =>
  decodeImage(bytes).catch((error: Error) => `${error.name}: ${error.message}`);

onEngines(
  'the decoder of an engine',
  () => {
    let module: string;
    let decodeJpeg: (file: Uint8Array, pixels: Uint8Array, width: number, height: number) => Promise<boolean>;
    beforeAll(async () => {
      module = (await openEngine('tensorflow')).jpegDecoder!;
      ({ decodeJpeg } = createRequire(__filename)(module));
    });

    const decodes = ({ width, height }: Jpeg, bytes: Uint8Array): Promise<boolean> =>
      decodeJpeg(bytes, new Uint8Array(3 * width * height), width, height);

    async function expectSame(name: string, bytes: Uint8Array): Promise<void> {
      useJpegDecoder(undefined);
      const expected = await outcome(bytes);
      useJpegDecoder(module);
      expect([name, await outcome(bytes)]).toEqual([name, expected]);
    }

    it('gives the pixels of every kind of JPEG', async () => {
      for (const jpeg of jpegs) {
        expect([jpeg.name, await decodes(jpeg, jpeg.bytes)]).toEqual([jpeg.name, true]);
        await expectSame(`${jpeg.name}, ${jpeg.width} x ${jpeg.height}`, jpeg.bytes);
      }
    });

    const end = Buffer.from([0xff, 0xd9]);
    const half = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length - 150);
    const FAULTS: Record<string, (bytes: Buffer) => Buffer> = {
      'goes on behind its end': (bytes) => Buffer.concat([bytes, Buffer.from('and so on')]),
      'lacks its end marker': (bytes) => bytes.subarray(0, bytes.length - 2),
      'is cut': half,
      'is cut and ends with an end marker': (bytes) => Buffer.concat([half(bytes), end]),
      'is damaged': (bytes) => Buffer.concat([half(bytes), Buffer.from('ffd3000000ff', 'hex'), bytes.subarray(-150)]),
      'has a damaged head': (bytes) => Buffer.concat([bytes.subarray(0, 20), Buffer.alloc(2), bytes.subarray(22)]),
    };
    it.each(Object.entries(FAULTS))('leaves a file alone that %s, which ends as ever', async (name, spoil) => {
      expect(await decodes(oneOf('4:2:0'), spoil(oneOf('4:2:0').bytes))).toBe(false);
      const large = jpegs.filter(({ width }) => width === 50);
      for (const jpeg of large) await expectSame(`${jpeg.name} that ${name}`, spoil(jpeg.bytes));
    });

    it('ends as ever with bytes that are changed anywhere', async () => {
      const random = new Random([1]);
      for (let i = 0; i < 60; i++) {
        const bytes = Buffer.from(oneOf(['4:2:0', '4:4:4', 'grey', 'restart intervals'][i % 4]!).bytes);
        const at = random.integer(bytes.length);
        bytes[at] = random.integer(256);
        await expectSame(`byte ${at} is ${bytes[at]}`, bytes);
      }
    });

    it('refuses memory of another size, and a picture of another', async () => {
      const { bytes } = oneOf('4:4:4');
      expect(() => decodeJpeg(bytes, new Uint8Array(10), 50, 19)).toThrow('expected 2850 bytes, received 10');
      expect(await decodeJpeg(bytes, new Uint8Array(2850), 19, 50)).toBe(false);
    });

    it('tells nothing of its own of a damaged file', async () => {
      const spoilt = FAULTS['is damaged']!(oneOf('4:2:0').bytes).toString('base64');
      const script = `
        require(${JSON.stringify(module)}).decodeJpeg(Buffer.from('${spoilt}', 'base64'), new Uint8Array(2850), 50, 19)
          .then((isDecoded) => console.error(isDecoded))`;
      const { stderr } = await promisify(execFile)(process.execPath, ['-e', script]);
      expect(stderr).toMatch(/false\n$/);
      expect(stderr).not.toMatch(/jpeg/i);
    });
  },
  ['tensorflow'],
);

describeWith(hasNative() ? dataFolder() : undefined, 'the decoder of an engine on real images', (data) => {
  it('gives the pixels that sharp gives', async () => {
    const { jpegDecoder } = await openEngine('tensorflow');
    const { digests } = readJson('digests.json') as { digests: Record<string, string> };
    for (const file of Object.keys(digests)
      .slice(0, 60)
      .map((name) => join(data, name))) {
      useJpegDecoder(undefined);
      const expected = await decodeImage(file);
      useJpegDecoder(jpegDecoder);
      const { data: pixels } = await decodeImage(file);
      expect([file, Buffer.compare(pixels, expected.data)]).toEqual([file, 0]);
    }
  });
});
