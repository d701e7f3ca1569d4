/** Pixels: read, resized, augmented, normalised. */
export { BrokenImageError, checkImage, decodeImage, decodePicture, readImageHeader, withImage } from './decode/decode';
export type { DecodeOptions, ImageSource, Orientation } from './decode/decode';
export {
  evenlySpaced,
  exifAdvice,
  requireSize,
  sizeAs,
  surveySizes,
  type LabelledSize,
  type SizeSurvey,
} from './decode/size-check';
export { readImageFile } from './decode/read-file';
export { formatOf } from './decode/header';
export type { ImageHeader } from './decode/header';
export { encodeImage } from './decode/encode';
export { blankImage, cropImage, flipImage, padImage } from './rgb-image';
export type { Rect, Rgb, RgbImage, Size } from './rgb-image';
export { keepRatioSize, resizeAndNormalise, resizeImage } from './resize/resize';
export type { ResizeConvention, ResizeOptions } from './resize/resize';
export { resizeTensor, type ResizeTensorOptions } from './resize/resize-tensor';
export { nearestIndex } from './resize/resize-opencv';
export { IMAGENET_NORMALISATION, type Normalisation } from './normalisation';
export { imagesToTensor, normaliseImage, normaliseTensor, restoreImage } from './normalise';
export { centreCropOf, randomResizedCrop, resizeAndCentreCrop } from './augment/random-resized-crop';
export type { RandomResizedCropOptions } from './augment/random-resized-crop';
export { parseRandAugment, randAugment, type RandAugmentOptions } from './augment/rand-augment';
export { colourJitter } from './augment/colour-jitter';
export { eraseRandomly } from './augment/random-erasing';
export { mixBatch, type MixupOptions } from './augment/mixup';
export { distortColours, type Draws } from './augment/photometric';
export { rotateImage } from './augment/affine';
