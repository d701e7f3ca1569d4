/** Small pictures, in which labels would have no room. */
import { resizeImage, type RgbImage } from '@pyramidal/images';

/** The longer side from which on labels can stand beside objects, in pixels. */
const READABLE = 320;

/** The picture, a whole number of times larger where it is small. */
export function enlargeSmall(picture: RgbImage): RgbImage {
  const factor = Math.ceil(READABLE / Math.max(picture.width, picture.height));
  if (factor <= 1) return picture;
  const size = { width: factor * picture.width, height: factor * picture.height };
  return resizeImage(picture, { ...size, convention: 'opencv-bilinear' });
}
