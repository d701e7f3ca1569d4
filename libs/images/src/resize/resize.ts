/** Resizing by one of the references' conventions. */
import type { Normalisation } from '../normalisation';
import { nearestRows, opencvRows, resizeOpencvBilinear, resizeOpencvNearest } from './resize-opencv';
import { BICUBIC, BILINEAR, type Filter, pillowRows, resizePillow } from './resize-pillow';
import type { RgbImage, Size } from '../rgb-image';
import type { Rows, Source, Target } from './target';
import { type Placement, type RowSink, byteSink, floatSink } from './row-sink';

interface Convention {
  /** Makes rows of the target; in the source are at least those that `sourceRows` tells. */
  resize(source: Source, target: Target, sink: RowSink): void;
  sourceRows(source: Size, target: Size, rows: Rows): Rows;
}

const pillow = (filter: Filter): Convention => ({
  resize: (source, target, sink) => resizePillow(source, target, sink, filter),
  sourceRows: (source, target, rows) => pillowRows(source.height, target.height, rows, filter),
});

const CONVENTIONS = {
  /** `cv2.resize(..., INTER_LINEAR)`: what MMDetection and MMSegmentation train with. Shrinking does not blur. */
  'opencv-bilinear': { resize: resizeOpencvBilinear, sourceRows: opencvRows },
  'opencv-nearest': {
    resize: resizeOpencvNearest,
    sourceRows: (source, target, rows) => nearestRows(source.height, target.height, rows),
  },
  /** `Image.resize(..., BILINEAR)`: antialiased; detectron2 and torchvision on PIL images. */
  'pillow-bilinear': pillow(BILINEAR),
  /** `Image.resize(..., BICUBIC)`: antialiased; timm. */
  'pillow-bicubic': pillow(BICUBIC),
} as const satisfies Readonly<Record<string, Convention>>;

/** Whose arithmetic a resize follows, bit for bit. */
export type ResizeConvention = keyof typeof CONVENTIONS;

export interface ResizeOptions extends Size {
  readonly convention: ResizeConvention;
  /** Mirrors left and right afterwards, at no cost. */
  readonly mirror?: boolean;
}

/** Resizes to `width` x `height` with the pixels that the named library would give. */
export function resizeImage(image: RgbImage, options: ResizeOptions): RgbImage {
  const { width, height } = options;
  const data = new Uint8Array(width * height * 3);
  resizeRows(image, options, byteSink(data, width));
  return { data, width, height };
}

/**
 * Resizes and normalises in one pass, into float32 values that the caller owns, such as a batch's padded canvas; the same numbers as
 * one after the other.
 */
export function resizeAndNormalise(
  image: RgbImage,
  options: ResizeOptions & { readonly normalisation: Normalisation },
  out: Float32Array,
  placement: Placement = {},
): void {
  resizeRows(image, options, floatSink(options.normalisation, out, options.width, placement));
}

/**
 * The largest size of the same shape with a shorter side up to `shortest` and a longer side up to `longest`, rounded as MMDetection rounds it
 * (`mmcv.imrescale`), and of one pixel at least, where MMDetection fails.
 */
export function keepRatioSize(
  { width, height }: Size,
  { shortest, longest }: { shortest: number; longest: number },
): Size {
  const scale = Math.min(longest / Math.max(width, height), shortest / Math.min(width, height));
  const rounded = (side: number): number => Math.max(1, Math.trunc(side * scale + 0.5));
  return { width: rounded(width), height: rounded(height) };
}

/** The rows of a picture that rows of its resized one are made of. */
export const sourceRows = (picture: Size, { convention, ...target }: ResizeOptions, rows: Rows): Rows =>
  CONVENTIONS[convention].sourceRows(picture, target, rows);

/** Makes some rows of a resized picture from the rows that `sourceRows` tells, in its place in the bytes of the whole. */
export function resizeSomeRows(
  source: Source,
  { convention, mirror = false, width, height }: ResizeOptions,
  rows: Rows,
  out: Uint8Array,
): void {
  CONVENTIONS[convention].resize(source, { width, height, mirror, rows }, byteSink(out, width));
}

function resizeRows(image: RgbImage, options: ResizeOptions, sink: RowSink): void {
  const { width, height, convention, mirror = false } = options;
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
    throw new RangeError(`resizeImage: expected a size of whole pixels, received ${width}x${height}`);
  }
  const rows = { from: 0, to: height };
  CONVENTIONS[convention].resize({ ...image, top: 0 }, { width, height, mirror, rows }, sink);
}
