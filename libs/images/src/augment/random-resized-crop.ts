/** Random resized crops, and the centre crops of evaluation. */
import { cropImage, type Rect, type RgbImage, type Size } from '../rgb-image';
import type { Random } from '@pyramidal/random';
import { resizeImage, type ResizeConvention } from '../resize/resize';

type Range = readonly [low: number, high: number];

export interface RandomResizedCropOptions {
  /** Side of the square that comes out, in pixels. */
  readonly size: number;
  /** Share of the picture's area; [0.08, 1] unless told. */
  readonly scale?: Range;
  /** Width over height; [3/4, 4/3] unless told. */
  readonly ratio?: Range;
  /** One is drawn each time if there are several; 'pillow-bicubic' unless told. */
  readonly conventions?: readonly ResizeConvention[];
}

/** Cuts out a rectangle of random area and shape and resizes it to a square (Szegedy et al. 2015; as timm does it). */
export function randomResizedCrop(image: RgbImage, options: RandomResizedCropOptions, random: Random): RgbImage {
  const { size, scale = [0.08, 1], ratio = [3 / 4, 4 / 3], conventions = ['pillow-bicubic'] } = options;
  const crop = cropImage(image, drawCrop(image, scale, ratio, random));
  return resizeImage(crop, { width: size, height: size, convention: random.pick(conventions) });
}

function drawCrop(image: Size, scale: Range, ratio: Range, random: Random): Rect {
  const area = image.width * image.height;
  for (let attempt = 0; attempt < 10; attempt++) {
    const target = area * random.uniform(...scale);
    const shape = Math.exp(random.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const width = Math.round(Math.sqrt(target * shape));
    const height = Math.round(Math.sqrt(target / shape));
    if (width > 0 && height > 0 && width <= image.width && height <= image.height) {
      const x = random.integer(image.width - width + 1);
      const y = random.integer(image.height - height + 1);
      return { x, y, width, height };
    }
  }
  return centredCrop(image, ratio);
}

/** The largest centred rectangle within the range of shapes, for pictures too narrow for any draw. */
function centredCrop(image: Size, ratio: Range): Rect {
  const width = Math.min(image.width, Math.max(1, Math.round(image.height * ratio[1])));
  const height = Math.min(image.height, Math.max(1, Math.round(image.width / ratio[0])));
  return { x: (image.width - width) >> 1, y: (image.height - height) >> 1, width, height };
}

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
