import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Rgb, type RgbImage, rotateImage, warpAffine, type WarpFilter } from '@pyramidal/images';
import * as enhance from './enhance';

interface GoldenCase {
  readonly source: { width: number; height: number; data: string };
  readonly fill: Rgb;
  readonly results: Record<string, [argument: number | null, data: string][]>;
}

const { cases } = JSON.parse(readFileSync(join(__dirname, '../../fixtures/operations.json'), 'utf8')) as {
  cases: GoldenCase[];
};
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));

type Operation = (image: RgbImage, argument: number, fill: Rgb) => RgbImage;

const warps = (filter: WarpFilter): Record<string, Operation> => ({
  [`rotate-${filter}`]: (image, angle, fill) => rotateImage(image, angle, filter, fill),
  [`shearX-${filter}`]: (image, shear, fill) => warpAffine(image, [1, shear, 0, 0, 1, 0], filter, fill),
  [`shearY-${filter}`]: (image, shear, fill) => warpAffine(image, [1, 0, 0, shear, 1, 0], filter, fill),
  [`translateX-${filter}`]: (image, part, fill) => warpAffine(image, [1, 0, part * image.width, 0, 1, 0], filter, fill),
  [`translateY-${filter}`]: (image, part, fill) =>
    warpAffine(image, [1, 0, 0, 0, 1, part * image.height], filter, fill),
});
const operations: Record<string, Operation> = { ...enhance, ...warps('bilinear'), ...warps('bicubic') };

describe('augmentation operations', () => {
  it.each(Object.keys(cases[0]!.results))("%s gives Pillow's bytes", (name) => {
    for (const { source, fill, results } of cases) {
      const image: RgbImage = { ...source, data: bytes(source.data) };
      for (const [argument, expected] of results[name]!) {
        const { data } = operations[name]!(image, argument ?? Number.NaN, fill);
        expect({ argument, data }).toEqual({ argument, data: bytes(expected) });
        expect(image.data).toEqual(bytes(source.data));
      }
    }
  });
});
