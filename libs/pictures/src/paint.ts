/** Pixels of a picture, changed in place. */
import type { Rgb, RgbImage } from '@pyramidal/images';
import type { Box } from './label-placement';
import type { TextPicture } from './text';

/** Fills a box of whole pixels inside the picture. */
export function fillBox({ data, width }: RgbImage, [x1, y1, x2, y2]: Box, colour: Rgb, opacity: number): void {
  for (let y = y1; y < y2; y++) {
    for (let at = 3 * (y * width + x1); at < 3 * (y * width + x2); at += 3) blend(data, at, colour, opacity);
  }
}

/** Puts a text that fits at a pixel of the picture. */
export function paintText(
  image: RgbImage,
  { data, width, height }: TextPicture,
  { left, top }: { readonly left: number; readonly top: number },
): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 4 * (y * width + x);
      const colour: Rgb = [data[from]!, data[from + 1]!, data[from + 2]!];
      blend(image.data, 3 * ((top + y) * image.width + left + x), colour, data[from + 3]! / 255);
    }
  }
}

/** Mixes a colour into the pixel at an index of the data. */
export function blend(data: Uint8Array, at: number, colour: Rgb, opacity: number): void {
  for (let c = 0; c < 3; c++) data[at + c] = Math.round(data[at + c]! * (1 - opacity) + colour[c]! * opacity);
}
