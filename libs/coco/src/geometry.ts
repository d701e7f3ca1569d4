/** How an image is resized, cropped and mirrored, as one map of coordinates that boxes and masks follow. */
import { keepRatioSize, type Rect, type Size } from '@pyramidal/images';
import type { Random } from '@pyramidal/random';
import type { Corners } from './dataset';

/** Sides that an image may get: the shorter one up to `shortest`, the longer one up to `longest`. */
export interface ScaleLimits {
  readonly shortest: number;
  readonly longest: number;
}

export interface CropOptions {
  /** Share of the images that are cropped. */
  readonly probability: number;
  /** What they are resized to before, one of these. */
  readonly scales: readonly ScaleLimits[];
  /** Range of the crop's sides in pixels; a smaller image keeps its side. */
  readonly sides: readonly [smallest: number, largest: number];
}

export interface GeometryOptions {
  /** One of them is drawn for every image. */
  readonly scales: readonly ScaleLimits[];
  /** Probability of mirroring left and right; 0 unless told. */
  readonly flip?: number;
  readonly crop?: CropOptions;
  /** Large-scale jitter: factors on the scale, in a range; what is larger than the scale's frame is cropped to it. */
  readonly largeScaleJitter?: readonly [smallest: number, largest: number] | undefined;
}

/** What is done to one image, in this order. */
export interface Geometry {
  readonly crop?: { readonly resized: Size; readonly rect: Rect };
  /** Of the result. */
  readonly size: Size;
  readonly mirror: boolean;
  /** Result pixels per pixel of the image, and where the image's corner lies in the result before mirroring. */
  readonly scale: readonly [x: number, y: number];
  readonly offset: readonly [x: number, y: number];
}

/** Draws what is done to an image. */
export function drawGeometry(
  image: Size,
  { scales, flip = 0, crop, largeScaleJitter }: GeometryOptions,
  random: Random,
): Geometry {
  const mirror = random.chance(flip);
  if (largeScaleJitter !== undefined) return jitter(image, random.pick(scales), largeScaleJitter, mirror, random);
  if (crop === undefined || !random.chance(crop.probability)) {
    const size = resizedSize(image, random.pick(scales));
    return { size, mirror, scale: [size.width / image.width, size.height / image.height], offset: [0, 0] };
  }
  const resized = resizedSize(image, random.pick(crop.scales));
  const rect = drawRect(resized, crop.sides, random);
  const size = resizedSize(rect, random.pick(scales));
  const [x, y] = [size.width / rect.width, size.height / rect.height];
  return {
    crop: { resized, rect },
    size,
    mirror,
    scale: [(resized.width / image.width) * x, (resized.height / image.height) * y],
    offset: [-rect.x * x, -rect.y * y],
  };
}

/**
 * Large-scale jitter (Ghiasi et al., CVPR 2021, section 3): the image at a size far from its own, and a window of the usual size in it.
 */
function jitter(
  image: Size,
  limits: ScaleLimits,
  range: readonly [number, number],
  mirror: boolean,
  random: Random,
): Geometry {
  const factor = random.uniform(...range);
  const resized = resizedSize(image, { shortest: limits.shortest * factor, longest: limits.longest * factor });
  const frame = frameOf(image, limits);
  const size = { width: Math.min(resized.width, frame.width), height: Math.min(resized.height, frame.height) };
  const rect = { x: random.integer(resized.width - size.width + 1), y: random.integer(resized.height - size.height + 1), ...size }; // prettier-ignore
  return {
    crop: { resized, rect },
    size,
    mirror,
    scale: [resized.width / image.width, resized.height / image.height],
    offset: [-rect.x, -rect.y],
  };
}

/** What holds every image of an orientation. */
function frameOf({ width, height }: Size, { shortest, longest }: ScaleLimits): Size {
  const side = Math.min(shortest, longest);
  return height > width ? { width: side, height: longest } : { width: longest, height: side };
}

/** Within the limits, of the same shape. Both sides are at least one pixel, however thin the image. */
export function resizedSize(image: Size, limits: ScaleLimits): Size {
  const { width, height } = keepRatioSize(image, limits);
  return { width: Math.max(width, 1), height: Math.max(height, 1) };
}

function drawRect({ width, height }: Size, [smallest, largest]: readonly [number, number], random: Random): Rect {
  const side = (whole: number): number => {
    const low = Math.min(whole, smallest);
    return low + random.integer(Math.min(whole, largest) - low + 1);
  };
  const [w, h] = [side(width), side(height)];
  return { x: random.integer(width - w + 1), y: random.integer(height - h + 1), width: w, height: h };
}

/** Where a point of the image comes to lie. */
export function mapPoint({ scale, offset, size, mirror }: Geometry, x: number, y: number): [x: number, y: number] {
  const across = x * scale[0] + offset[0];
  return [mirror ? size.width - across : across, y * scale[1] + offset[1]];
}

/** The image's point that comes to lie at (x, y). */
export function unmapPoint({ scale, offset, size, mirror }: Geometry, x: number, y: number): [x: number, y: number] {
  return [((mirror ? size.width - x : x) - offset[0]) / scale[0], (y - offset[1]) / scale[1]];
}

/** A box in the result, cut at its edges; nothing if none of it is left. */
export function mapBox(geometry: Geometry, [x1, y1, x2, y2]: Corners): Corners | undefined {
  const [ax, ay] = mapPoint(geometry, x1, y1);
  const [bx, by] = mapPoint(geometry, x2, y2);
  const { width, height } = geometry.size;
  const cut = (value: number, limit: number): number => Math.min(Math.max(value, 0), limit);
  const box: Corners = [cut(Math.min(ax, bx), width), cut(ay, height), cut(Math.max(ax, bx), width), cut(by, height)];
  return box[2] > box[0] && box[3] > box[1] ? box : undefined;
}
