/** Pixels: read, resized, distorted, normalised. */
export { BrokenImageError, checkImage, decodeImage, decodePicture, readImageHeader, withImage } from './decode/decode';
export type { DecodeOptions, ImageSource, Orientation } from './decode/decode';
export { readImageFile } from './decode/read-file';
export type { ImageHeader } from './decode/header';
export { encodeImage } from './decode/encode';
export { blankImage, cropImage, flipImage, padImage } from './rgb-image';
export type { Rect, Rgb, RgbImage, Size } from './rgb-image';
export { centreCropOf, resizeAndCentreCrop } from './resize/centre-crop';
export { keepRatioSize, resizeAndNormalise, resizeImage } from './resize/resize';
export type { ResizeConvention, ResizeOptions } from './resize/resize';
export { resizeTensor, type ResizeTensorOptions } from './resize/resize-tensor';
export { nearestIndex } from './resize/resize-opencv';
export { IMAGENET_NORMALISATION, type Normalisation } from './normalisation';
export { imagesToTensor, normaliseImage, normaliseTensor, restoreImage } from './normalise';
export { distortColours, type Draws } from './augment/photometric';
export { rotateImage, warpAffine, type WarpFilter } from './augment/affine';
