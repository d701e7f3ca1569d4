/** Affine transforms of pictures, as Pillow's `Image.transform`. */
import { type Rgb, type RgbImage, blankImage } from '../rgb-image';

/** Takes each output pixel's centre to the source: `[a x + b y + c, d x + e y + f]`. */
export type AffineMatrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** How pixels between the pixels are read: from 2x2 or 4x4 neighbours (Keys' cubic with a = -1, as Pillow warps). */
export type WarpFilter = 'bilinear' | 'bicubic';

/** `Image.transform(size, AFFINE, matrix)` of Pillow to the last bit; pixels from outside the picture show `fill`. */
export function warpAffine(image: RgbImage, matrix: AffineMatrix, filter: WarpFilter, fill: Rgb): RgbImage {
  const { width, height } = image;
  const [a, b, c, d, e, f] = matrix;
  const out = blankImage(image, fill);
  const sample = filter === 'bilinear' ? sampleBilinear : sampleBicubic;
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const fromX = a * (x + 0.5) + b * (y + 0.5) + c;
      const fromY = d * (x + 0.5) + e * (y + 0.5) + f;
      if (fromX < 0 || fromX >= width || fromY < 0 || fromY >= height) continue;
      sample(image, fromX - 0.5, fromY - 0.5, out.data, to);
    }
  }
  return out;
}

/** Turns counterclockwise about the centre. */
export function rotateImage(image: RgbImage, degrees: number, filter: WarpFilter, fill: Rgb): RgbImage {
  const angle = (-degrees * Math.PI) / 180;
  const [cos, sin] = [to15Digits(Math.cos(angle)), to15Digits(Math.sin(angle))];
  const [x, y] = [image.width / 2, image.height / 2];
  return warpAffine(image, [cos, sin, -cos * x - sin * y + x, -sin, cos, sin * x - cos * y + y], filter, fill);
}

/** Pillow rounds the matrix, which decides pixels at the very centre. */
const to15Digits = (value: number) => Number(value.toFixed(15));

function sampleBilinear({ data, width, height }: RgbImage, x: number, y: number, out: Uint8Array, to: number): void {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const dx = x - left;
  const dy = y - top;
  const x0 = Math.max(left, 0) * 3;
  const x1 = Math.min(left + 1, width - 1) * 3;
  const row0 = Math.max(top, 0) * width * 3;
  const row1 = Math.min(top + 1, height - 1) * width * 3;
  for (let c = 0; c < 3; c++) {
    const upper = data[row0 + x0 + c]! + (data[row0 + x1 + c]! - data[row0 + x0 + c]!) * dx;
    const lower = data[row1 + x0 + c]! + (data[row1 + x1 + c]! - data[row1 + x0 + c]!) * dx;
    out[to + c] = upper + (lower - upper) * dy;
  }
}

function sampleBicubic({ data, width, height }: RgbImage, x: number, y: number, out: Uint8Array, to: number): void {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const dx = x - left;
  const dy = y - top;
  const x0 = within(left - 1, width) * 3;
  const x1 = within(left, width) * 3;
  const x2 = within(left + 1, width) * 3;
  const x3 = within(left + 2, width) * 3;
  const stride = width * 3;
  const row0 = within(top - 1, height) * stride;
  const row1 = within(top, height) * stride;
  const row2 = within(top + 1, height) * stride;
  const row3 = within(top + 2, height) * stride;
  for (let c = 0; c < 3; c++) {
    const value = cubic(
      cubic(data[row0 + x0 + c]!, data[row0 + x1 + c]!, data[row0 + x2 + c]!, data[row0 + x3 + c]!, dx),
      cubic(data[row1 + x0 + c]!, data[row1 + x1 + c]!, data[row1 + x2 + c]!, data[row1 + x3 + c]!, dx),
      cubic(data[row2 + x0 + c]!, data[row2 + x1 + c]!, data[row2 + x2 + c]!, data[row2 + x3 + c]!, dx),
      cubic(data[row3 + x0 + c]!, data[row3 + x1 + c]!, data[row3 + x2 + c]!, data[row3 + x3 + c]!, dx),
      dy,
    );
    out[to + c] = value <= 0 ? 0 : value >= 255 ? 255 : value;
  }
}

function within(index: number, length: number): number {
  return index < 0 ? 0 : index >= length ? length - 1 : index;
}

function cubic(v1: number, v2: number, v3: number, v4: number, d: number): number {
  return v2 + d * (v3 - v1 + d * (2 * (v1 - v2) + v3 - v4 + d * (v2 - v1 + v4 - v3)));
}
