/** The centre crops of evaluation. */
import { cropImage, type RgbImage } from '../rgb-image';
import { resizeImage, type ResizeConvention } from './resize';

/** Resizes the shorter side to `size / cropPct` and cuts the centre out: how timm and torchvision validate. */
export function resizeAndCentreCrop(
  image: RgbImage,
  { size, cropPct, convention = 'pillow-bicubic' }: { size: number; cropPct: number; convention?: ResizeConvention },
): RgbImage {
  const shorter = Math.floor(size / cropPct);
  const scaled = (side: number, other: number) => (side <= other ? shorter : Math.trunc((shorter * side) / other));
  const resized = resizeImage(image, {
    width: scaled(image.width, image.height),
    height: scaled(image.height, image.width),
    convention,
  });
  const x = roundHalfEven((resized.width - size) / 2);
  const y = roundHalfEven((resized.height - size) / 2);
  return cropImage(resized, { x, y, width: size, height: size });
}

/** Python's `round`. */
function roundHalfEven(value: number): number {
  return value % 1 === 0.5 && Math.floor(value) % 2 === 0 ? Math.floor(value) : Math.round(value);
}
