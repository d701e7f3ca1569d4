/** Sizes of batches. There are few in training, because a compiled step is recorded anew for each. */
import type { Size } from '@pyramidal/images';
import { Random } from '@pyramidal/random';
import type { DetectionSample } from './dataset';
import { drawGeometry, type GeometryOptions, resizedSize } from './geometry';
import { orderByOrientation, type OrderOptions } from './order';

/** Sides of a batch are multiples of it, the coarsest stride of a backbone. */
const PADDING = 32;

const padded = ({ width, height }: Size): Size => ({
  width: Math.ceil(width / PADDING) * PADDING,
  height: Math.ceil(height / PADDING) * PADDING,
});

/** The smallest canvas that holds all images. */
export function tightCanvas(images: readonly Size[]): Size {
  const side = (name: keyof Size): number => Math.max(...images.map((image) => image[name]));
  return padded({ width: side('width'), height: side('height') });
}

/** Canvases of a training at most, besides those that hold whatever there is. */
const MOST = 12;
/** Another canvas has to save this share of the pixels. */
const WORTH = 0.01;
/** Batches that are drawn to see which sizes there are, and the stream of random numbers that they come from. */
const DRAWN = 2000;
const CANVASES = 19;

/**
 * The canvases of a training: few, with as little padding as so many can have over batches that are drawn like its own.
 * One after the other is chosen, each time the one that saves most, until another would save less than a hundredth.
 */
export function chooseCanvases(
  samples: readonly DetectionSample[],
  transform: GeometryOptions,
  order: OrderOptions,
): Size[] {
  const batches = drawSizes(samples, transform, order);
  const sides = (name: keyof Size): number[] => [...new Set(batches.map(({ size }) => size[name]))];
  const candidates = sides('width').flatMap((width) => sides('height').map((height) => ({ width, height })));
  const areas = batches.map(({ size }) => areaOf(anyCanvas([size], transform)));
  const chosen: Size[] = [];
  while (chosen.length < MOST) {
    const total = batches.reduce((sum, { count }, i) => sum + count * areas[i]!, 0);
    const savings = candidates.map((canvas) => {
      const saved = ({ size, count }: Sized, i: number): number =>
        holds(canvas, size) ? count * Math.max(0, areas[i]! - areaOf(canvas)) : 0;
      return batches.reduce((sum, batch, i) => sum + saved(batch, i), 0);
    });
    const best = savings.indexOf(Math.max(...savings));
    if (savings[best]! < WORTH * total) break;
    const canvas = candidates[best]!;
    batches.forEach(({ size }, i) => {
      if (holds(canvas, size)) areas[i] = Math.min(areas[i]!, areaOf(canvas));
    });
    chosen.push(canvas);
  }
  return chosen;
}

/** The smallest of the canvases that holds all images of a training; where none of them does, one that holds any. */
export function fittingCanvas(
  images: readonly Size[],
  canvases: readonly Size[],
  limits: Pick<GeometryOptions, 'scales'>,
): Size {
  const fitting = canvases.filter((canvas) => images.every((image) => holds(canvas, image)));
  return fitting.sort((a, b) => areaOf(a) - areaOf(b))[0] ?? anyCanvas(images, limits);
}

/** Tight canvases of batches, and how many of those that were drawn have each. */
interface Sized {
  readonly size: Size;
  count: number;
}

function drawSizes(samples: readonly DetectionSample[], transform: GeometryOptions, order: OrderOptions): Sized[] {
  const { batchSize, seed } = order;
  const random = new Random([seed, CANVASES]);
  const drawn = new Map<string, Sized>();
  for (let epoch = 0, batches = 0; batches < DRAWN; epoch++) {
    const images = orderByOrientation(samples, order, epoch);
    for (let i = 0; i < images.length && batches < DRAWN; i += batchSize, batches++) {
      const sizes = images.slice(i, i + batchSize).map((image) => drawGeometry(image, transform, random).size);
      const size = tightCanvas(sizes);
      const key = `${size.width}x${size.height}`;
      const known = drawn.get(key) ?? { size, count: 0 };
      known.count++;
      drawn.set(key, known);
    }
  }
  return [...drawn.values()];
}

/** One of three canvases that fit any image of a training: a wide one, a tall one, and a square one for batches of both kinds. */
function anyCanvas(images: readonly Size[], { scales }: Pick<GeometryOptions, 'scales'>): Size {
  const longest = Math.max(...scales.map((scale) => scale.longest));
  const shortest = Math.min(longest, Math.max(...scales.map((scale) => scale.shortest)));
  const oriented = [
    { width: longest, height: shortest },
    { width: shortest, height: longest },
  ].map(padded);
  const fitting = oriented.find((canvas) => images.every((image) => holds(canvas, image)));
  return fitting ?? padded({ width: longest, height: longest });
}

const areaOf = ({ width, height }: Size): number => width * height;

const holds = (canvas: Size, image: Size): boolean => image.width <= canvas.width && image.height <= canvas.height;

/** Images in groups of one tight canvas, so that what is padded to an image does not depend on its neighbours. */
export function groupByCanvas(
  samples: readonly DetectionSample[],
  { scales }: Pick<GeometryOptions, 'scales'>,
): DetectionSample[][] {
  const groups = new Map<string, DetectionSample[]>();
  for (const sample of samples) {
    const { width, height } = padded(resizedSize(sample, scales[0]!));
    const key = `${width}x${height}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [sample]);
    else group.push(sample);
  }
  return [...groups.values()];
}
