import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IMAGENET_NORMALISATION } from '../normalisation';
import { normaliseImage } from '../normalise';
import {
  type ResizeConvention,
  keepRatioSize,
  resizeAndNormalise,
  resizeImage,
  resizeSomeRows,
  sourceRows,
} from './resize';
import { Random } from '@pyramidal/random';
import { type RgbImage, flipImage } from '../rgb-image';

type GoldenCase = Record<'source' | ResizeConvention, { width: number; height: number; data: string }>;

const golden = JSON.parse(readFileSync(join(__dirname, '../../fixtures/resize.json'), 'utf8')) as {
  cases: GoldenCase[];
};
const conventions = ['opencv-bilinear', 'opencv-nearest', 'pillow-bilinear', 'pillow-bicubic'] as const;
const unpack = ({ width, height, data }: GoldenCase['source']): RgbImage => ({
  width,
  height,
  data: new Uint8Array(Buffer.from(data, 'base64')),
});

function noise(width: number, height: number): RgbImage {
  const random = new Random([width, height]);
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => random.integer(256)) };
}

describe.each(conventions)('resizeImage with %s', (convention) => {
  it.each(golden.cases.map((item, i) => [i, item] as const))(
    'equals the library byte for byte (case %d)',
    (_, item) => {
      const expected = unpack(item[convention]);
      const actual = resizeImage(unpack(item.source), { width: expected.width, height: expected.height, convention });
      expect(actual).toEqual(expected);
    },
  );

  it.each([
    [33, 21],
    [20, 15],
    [7, 5],
  ])('mirrors as flipping afterwards does (to %dx%d)', (width, height) => {
    const image = noise(40, 30);
    const plain = resizeImage(image, { width, height, convention });
    expect(resizeImage(image, { width, height, convention, mirror: true })).toEqual(flipImage(plain));
  });

  it('leaves a picture of the right size as it is, in a copy', () => {
    const image = noise(9, 7);
    const same = resizeImage(image, { width: 9, height: 7, convention });
    expect(same).toEqual(image);
    expect(same.data).not.toBe(image.data);
  });

  it('keeps a flat colour', () => {
    const flat = { width: 11, height: 5, data: new Uint8Array(165).fill(201) };
    expect(new Set(resizeImage(flat, { width: 29, height: 3, convention }).data)).toEqual(new Set([201]));
  });

  it('normalises in the same pass to the same numbers, into a larger canvas', () => {
    const image = noise(30, 20);
    const size = { width: 25, height: 33, convention };
    const canvas = new Float32Array(40 * 33 * 3 + 6).fill(-9);
    resizeAndNormalise(image, { ...size, normalisation: IMAGENET_NORMALISATION }, canvas, {
      offset: 6,
      canvasWidth: 40,
    });
    const expected = normaliseImage(resizeImage(image, size), IMAGENET_NORMALISATION);
    for (let y = 0; y < 33; y++) {
      const start = 6 + y * 120;
      expect(canvas.slice(start, start + 75)).toEqual(expected.slice(y * 75, (y + 1) * 75));
      expect(new Set(canvas.slice(start + 75, start + 120))).toEqual(new Set([-9]));
    }
  });
});

describe('resizeImage', () => {
  it('refuses a size that is no whole number of pixels', () => {
    const image = noise(2, 2);
    expect(() => resizeImage(image, { width: 1.5, height: 2, convention: 'opencv-bilinear' })).toThrow(
      'received 1.5x2',
    );
    expect(() => resizeImage(image, { width: 0, height: 2, convention: 'pillow-bicubic' })).toThrow('received 0x2');
  });
});

describe('keepRatioSize', () => {
  it('lets the shorter side or the longer one decide', () => {
    const limits = { shortest: 800, longest: 1333 };
    expect(keepRatioSize({ width: 640, height: 480 }, limits)).toEqual({ width: 1067, height: 800 });
    expect(keepRatioSize({ width: 200, height: 640 }, limits)).toEqual({ width: 417, height: 1333 });
    expect(keepRatioSize({ width: 1, height: 5000 }, limits)).toEqual({ width: 1, height: 1333 });
  });
});

describe('resizeSomeRows', () => {
  it.each(['opencv-bilinear', 'opencv-nearest', 'pillow-bilinear', 'pillow-bicubic'] as const)(
    'makes the rows of the whole out of those that %s needs, wherever it is cut',
    (convention) => {
      const image = noise(50, 66);
      for (const { width, height } of [
        { width: 13, height: 9 },
        { width: 25, height: 33 },
        { width: 70, height: 91 },
      ]) {
        // prettier-ignore
        const options = { width, height, convention, mirror: true };
        const whole = resizeImage(image, options).data;
        for (let cut = 1; cut < height; cut++) {
          const out = new Uint8Array(whole.length);
          for (const rows of [
            { from: 0, to: cut },
            { from: cut, to: height },
          ]) {
            const { from, to } = sourceRows(image, options, rows);
            const data = image.data.subarray(150 * from, 150 * to);
            resizeSomeRows({ data, width: 50, height: 66, top: from }, options, rows, out);
          }
          expect(Buffer.compare(out, whole)).toBe(0);
        }
      }
    },
  );
});
