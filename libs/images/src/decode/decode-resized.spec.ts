import sharp from 'sharp';
import { resizeImage, type ResizeConvention } from '../resize/resize';
import { BrokenImageError } from './broken-image';
import { decodeImage } from './decode';
import { decodeResized } from './decode-resized';
import { decodeRows, decodedSize, type Opened } from './pixels';
import { readHeader } from './header';

/** Noise that no two rows or columns share. */
const noise = (width: number, height: number): sharp.Sharp => {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (Math.imul(i, 2654435761) >>> 13) & 255);
  return sharp(data, { raw: { width, height, channels: 3 } });
};

describe('decodeRows', () => {
  it.each(['jpeg', 'png', 'webp', 'tiff'] as const)(
    'gives rows of a %s as they are among all, however it is turned',
    async (format) => {
      for (let orientation = 1; orientation <= 8; orientation++) {
        const bytes = await noise(37, 23).withMetadata({ orientation }).toFormat(format).toBuffer();
        for (const meant of ['exif', 'stored'] as const) {
          const { width, height } = (await sharp(bytes).metadata()) as { width: number; height: number };
          const header = readHeader(bytes) ?? { format: 'TIFF', width, height, orientation, heldBytes: 0 };
          const picture: Opened = { name: 'x', file: bytes, header, orientation: meant, maxPixels: 1e6 };
          const whole = await decodeImage(bytes, { orientation: meant });
          expect([whole.width, whole.height]).toEqual(Object.values(decodedSize(picture)));
          const rows = await decodeRows(picture, { from: 5, to: 18 });
          const stride = 3 * whole.width;
          expect([orientation, rows.width, rows.height]).toEqual([orientation, whole.width, 13]);
          expect(Buffer.compare(rows.data, whole.data.subarray(5 * stride, 18 * stride))).toBe(0);
        }
      }
    },
  );
});

describe('decodeResized', () => {
  const sizes = [
    { width: 224, height: 224, convention: 'pillow-bicubic' },
    { width: 61, height: 95, convention: 'opencv-bilinear' },
  ] as const satisfies readonly { width: number; height: number; convention: ResizeConvention }[];

  it('gives the pixels of the whole picture resized, be it given as a file or as pixels', async () => {
    const bytes = await noise(300, 200).jpeg().toBuffer();
    const image = await decodeImage(bytes);
    const expected = { original: { width: 300, height: 200 }, images: sizes.map((size) => resizeImage(image, size)) };
    expect(await decodeResized(bytes, {}, () => sizes)).toEqual(expected);
    expect(await decodeResized(image, {}, () => sizes)).toEqual(expected);
    const wrong = { ...image, width: 301 };
    await expect(decodeResized(wrong, {}, () => sizes, 'photo')).rejects.toThrow(BrokenImageError);
  });

  describe('of a picture of 49 million pixels', () => {
    const [width, height] = [7000, 7000];
    let bytes: Buffer;
    /** Bytes of each picture that was decoded. */
    let held: number[];
    beforeAll(async () => {
      const tile = await noise(700, 700).blur(1).png().toBuffer();
      const create = { width, height, channels: 3, background: '#204060' } as const;
      bytes = await sharp({ create }).composite([{ input: tile, tile: true }]).withMetadata({ orientation: 6 }).jpeg().toBuffer(); // prettier-ignore
    });
    beforeEach(() => {
      held = [];
      const toBuffer = sharp.prototype.toBuffer as (this: sharp.Sharp, options: object) => Promise<{ data: Buffer }>;
      jest.spyOn(sharp.prototype, 'toBuffer').mockImplementation(async function (this: sharp.Sharp, options: object) {
        const decoded = await toBuffer.call(this, options);
        held.push(decoded.data.length);
        return decoded;
      } as never);
    });
    afterEach(() => jest.restoreAllMocks());

    it.each(['stored', 'exif'] as const)(
      'holds a quarter of the pixels, and gives those of the whole (%s)',
      async (orientation) => {
        const plan = jest.fn(() => sizes);
        const { original, images } = await decodeResized(bytes, { orientation }, plan);
        expect(plan).toHaveBeenCalledWith({ width, height });
        expect(original).toEqual({ width, height });
        expect(held.length).toBe(4 * sizes.length);
        expect(Math.max(...held)).toBeLessThan(40_000_000);
        const whole = await decodeImage(bytes, { orientation });
        expect(whole.data.length).toBe(147_000_000);
        sizes.forEach((size, i) => expect(Buffer.compare(images[i]!.data, resizeImage(whole, size).data)).toBe(0));
      },
    );

    it('holds half of the pixels of one that its decoder holds, of fewer pixels too', async () => {
      const smaller = sharp(bytes).resize(4000, 4000).jpeg({ progressive: true });
      const { data: progressive } = await smaller.toBuffer({ resolveWithObject: true });
      held = [];
      const { images } = await decodeResized(progressive, {}, () => sizes.slice(0, 1));
      expect(held).toHaveLength(2);
      expect(Math.max(...held)).toBeLessThan(26_000_000); // of 48
      expect(Buffer.compare(images[0]!.data, resizeImage(await decodeImage(progressive), sizes[0]).data)).toBe(0);
    });

    it('has one picture in work at a time, and names one that is cut', async () => {
      const cut = bytes.subarray(0, bytes.length - 5000);
      const all = [bytes, cut, bytes].map((one, i) => decodeResized(one, {}, () => sizes.slice(0, 1), `photo ${i}`));
      const results = await Promise.allSettled(all);
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(results[1]).toMatchObject({
        reason: { message: expect.stringMatching(/^photo 1: cannot be decoded: .*premature end/) },
      });
      expect(Math.max(...held)).toBeLessThan(40_000_000);
    });
  });
});
