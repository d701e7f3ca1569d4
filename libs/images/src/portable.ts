/** What needs neither sharp nor Node: it runs in browsers too. */
export { blankImage, cropImage, flipImage, padImage } from './rgb-image';
export type { Rect, Rgb, RgbImage, Size } from './rgb-image';
export { keepRatioSize, resizeAndNormalise, resizeImage, type ResizeConvention, type ResizeOptions } from './resize';
export { IMAGENET_NORMALISATION, imagesToTensor, normaliseImage, type Normalisation } from './normalise';
export { resizeAndCentreCrop } from './random-resized-crop';
