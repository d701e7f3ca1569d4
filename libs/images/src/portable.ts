/** What needs neither sharp nor Node: it runs in browsers too. */
export { blankImage, cropImage, flipImage, padImage } from './rgb-image';
export type { Rect, Rgb, RgbImage, Size } from './rgb-image';
export { keepRatioSize, resizeAndNormalise, resizeImage } from './resize/resize';
export type { ResizeConvention, ResizeOptions } from './resize/resize';
export { IMAGENET_NORMALISATION, type Normalisation } from './normalisation';
export { imagesToTensor, normaliseImage } from './normalise';
export { resizeAndCentreCrop } from './resize/centre-crop';
