import { resizeOpencvBilinear, resizeOpencvNearest } from './resize-opencv';
import { BICUBIC, BILINEAR, resizePillow } from './resize-pillow';
import type { RgbImage, Size } from './rgb-image';

const CONVENTIONS = {
  /** `cv2.resize(..., INTER_LINEAR)`: what MMDetection and MMSegmentation train with. Shrinking does not blur. */
  'opencv-bilinear': resizeOpencvBilinear,
  'opencv-nearest': resizeOpencvNearest,
  /** `Image.resize(..., BILINEAR)`: antialiased; detectron2 and torchvision on PIL images. */
  'pillow-bilinear': (image: RgbImage, size: Size) => resizePillow(image, size, BILINEAR),
  /** `Image.resize(..., BICUBIC)`: antialiased; timm. */
  'pillow-bicubic': (image: RgbImage, size: Size) => resizePillow(image, size, BICUBIC),
} as const;

/** Whose arithmetic a resize follows, bit for bit. */
export type ResizeConvention = keyof typeof CONVENTIONS;

export interface ResizeOptions extends Size {
  readonly convention: ResizeConvention;
}

/** Resizes to `width` x `height` with the pixels that the named library would give. */
export function resizeImage(image: RgbImage, { width, height, convention }: ResizeOptions): RgbImage {
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
    throw new RangeError(`resizeImage: expected a size of whole pixels, received ${width}x${height}`);
  }
  return CONVENTIONS[convention](image, { width, height });
}

/**
 * The largest size of the same shape with a shorter side up to `shortest` and a longer side up to `longest`, rounded as MMDetection rounds it
 * (`mmcv.imrescale`).
 */
export function keepRatioSize(
  { width, height }: Size,
  { shortest, longest }: { shortest: number; longest: number },
): Size {
  const scale = Math.min(longest / Math.max(width, height), shortest / Math.min(width, height));
  return { width: Math.trunc(width * scale + 0.5), height: Math.trunc(height * scale + 0.5) };
}
