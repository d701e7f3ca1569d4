/**
 * Repeat-factor sampling, by which LVIS trains on many rare categories (Gupta et al. 2019): images with a rare one are seen
 * more often.
 */
import type { Random } from '@pyramidal/random';
import type { DetectionSample } from './dataset';

/**
 * How often each image is seen in an epoch, 1 or more on average: for a category in a share f of the images
 * max(1, sqrt(threshold / f)), for an image the largest of its categories'.
 */
export function repeatFactors(samples: readonly DetectionSample[], threshold: number): number[] {
  const images = new Map<number, number>();
  for (const sample of samples) for (const label of labelsOf(sample)) images.set(label, (images.get(label) ?? 0) + 1);
  const factor = (label: number): number => Math.sqrt((threshold * samples.length) / images.get(label)!);
  return samples.map((sample) => Math.max(1, ...[...labelsOf(sample)].map(factor)));
}

const labelsOf = ({ objects }: DetectionSample): Set<number> => new Set(objects.map(({ label }) => label));

/**
 * Draws which images an epoch has: each as often as the whole part of its factor, and once more with the chance of the rest. The
 * number of all is the rounded sum of the factors in every epoch, so that epochs are of one length.
 * @returns images side by side with their copies; to be shuffled.
 */
export function drawRepeated<Item>(items: readonly Item[], factors: readonly number[], random: Random): Item[] {
  const sum = factors.reduce((total, factor) => total + factor, 0);
  const count = Math.round(sum);
  const drawn: Item[] = [];
  // Systematic sampling: marks at even distances on a line, on which each image has a piece as long as its factor.
  let next = random.uniform() * (sum / Math.max(count, 1));
  let end = 0;
  for (const index of random.permutation(items.length)) {
    end += factors[index]!;
    for (; next < end && drawn.length < count; next += sum / count) drawn.push(items[index]!);
  }
  return drawn;
}
