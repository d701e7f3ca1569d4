/** Random resized crops. */
import { cropImage, type Rect, resizeImage, type ResizeConvention, type RgbImage, type Size } from '@pyramidal/images';
import type { Random } from '@pyramidal/random';

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
