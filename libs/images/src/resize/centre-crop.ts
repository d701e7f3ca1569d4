/** The centre crops of evaluation. */
import { cropImage, type Rect, type RgbImage, type Size } from '../rgb-image';
import { resizeImage, type ResizeConvention } from './resize';

interface CentreCrop {
  /** Side of what is cut out. */
  readonly size: number;
  /** Its part of the shorter side. */
  readonly cropPct: number;
}

/** Resizes the shorter side to `size / cropPct` and cuts the centre out: how timm and torchvision validate. */
export function resizeAndCentreCrop(
  image: RgbImage,
  { convention = 'pillow-bicubic', ...crop }: CentreCrop & { readonly convention?: ResizeConvention },
): RgbImage {
  const { resized, rect } = centreCropOf(image, crop);
  return cropImage(resizeImage(image, { ...resized, convention }), rect);
}

/** The size that an image gets, and what is cut out of it. */
export function centreCropOf(
  image: Size,
  { size, cropPct }: CentreCrop,
): { readonly resized: Size; readonly rect: Rect } {
  const shorter = Math.floor(size / cropPct);
  const scaled = (side: number, other: number) => (side <= other ? shorter : Math.trunc((shorter * side) / other));
  const resized = { width: scaled(image.width, image.height), height: scaled(image.height, image.width) };
  const x = roundHalfEven((resized.width - size) / 2);
  const y = roundHalfEven((resized.height - size) / 2);
  return { resized, rect: { x, y, width: size, height: size } };
}

/** Python's `round`. */
function roundHalfEven(value: number): number {
  return value % 1 === 0.5 && Math.floor(value) % 2 === 0 ? Math.floor(value) : Math.round(value);
}
