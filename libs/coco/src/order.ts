/** The order in which a detector sees its images. */
import { Random } from '@pyramidal/random';
import type { DetectionSample } from './dataset';
import { drawRepeated } from './repeat-factors';

/** The stream of random numbers that orders an epoch. */
const ORDER = 7;

export interface OrderOptions {
  readonly batchSize: number;
  readonly seed: number;
  /** How often each image is seen on average; once where absent. */
  readonly factors?: readonly number[] | undefined;
}

/**
 * A new order of the images for an epoch, in which every batch holds images of one orientation (wide or tall), so that
 * little padding is needed. The last batch of an orientation is filled up with images from its beginning.
 */
export function orderByOrientation(
  samples: readonly DetectionSample[],
  { batchSize, seed, factors }: OrderOptions,
  epoch: number,
): DetectionSample[] {
  const random = new Random([seed, ORDER, epoch]);
  const isTall = ({ width, height }: DetectionSample): boolean => height > width;
  const groups = [false, true].map((tall) => {
    const places = [...samples.keys()].filter((i) => isTall(samples[i]!) === tall);
    const group = places.map((i) => samples[i]!);
    return factors === undefined ? group : drawRepeated(group, places.map((i) => factors[i]!), random); // prettier-ignore
  });
  const batches = groups.flatMap((group) => chunks(shuffled(group, random), batchSize));
  return shuffled(batches, random).flat();
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return Array.from(random.permutation(items.length), (index) => items[index]!);
}

/** Pieces of one size; the last one is filled up from the beginning. */
function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, chunk) =>
    Array.from({ length: size }, (_, i) => items[(chunk * size + i) % items.length]!),
  );
}
