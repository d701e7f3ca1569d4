/** Sizes of batches. There are few, because a compiled step is recorded anew for each. */
import type { Size } from '@pyramidal/images';
import type { DetectionSample } from './dataset';
import { type GeometryOptions, resizedSize } from './geometry';

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

/**
 * One of three canvases that fit any image of a training: a wide one, a tall one, and a square one for batches of both kinds, which
 * crops may make.
 */
export function sharedCanvas(images: readonly Size[], { scales }: Pick<GeometryOptions, 'scales'>): Size {
  const longest = Math.max(...scales.map((scale) => scale.longest));
  const shortest = Math.min(longest, Math.max(...scales.map((scale) => scale.shortest)));
  const oriented = [
    { width: longest, height: shortest },
    { width: shortest, height: longest },
  ];
  const holdsAll = ({ width, height }: Size): boolean =>
    images.every((image) => image.width <= width && image.height <= height);
  return padded(oriented.find(holdsAll) ?? { width: longest, height: longest });
}

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
