/** RandAugment. */
import { type Rgb, type RgbImage, rotateImage, warpAffine, type WarpFilter } from '@pyramidal/images';
import type { Random } from '@pyramidal/random';
import * as enhance from './enhance';

/** RandAugment (Cubuk et al. 2019) in timm's variation. */
export interface RandAugmentOptions {
  /** Strength, on a scale of 0 to 10. */
  readonly magnitude: number;
  /** Deviation of the strength, drawn anew for each operation. */
  readonly magnitudeStd: number;
  /** Operations for each image, each done with `probability`. */
  readonly layers: number;
  readonly probability: number;
  /** Whether every operation distorts more with more strength. */
  readonly increasing: boolean;
}

interface OperationContext {
  readonly image: RgbImage;
  /** Strength in [0, 1]. */
  readonly level: number;
  readonly increasing: boolean;
  readonly filter: WarpFilter;
  readonly fill: Rgb;
  /** The number, or its negative, at random. */
  readonly signed: (value: number) => number;
}

type Operation = (context: OperationContext) => RgbImage;

const OPERATIONS: readonly Operation[] = [
  ({ image }) => enhance.autoContrast(image),
  ({ image }) => enhance.equalise(image),
  ({ image }) => enhance.invert(image),
  ({ image, level, filter, fill, signed }) => rotateImage(image, signed(30 * level), filter, fill),
  ({ image, level, increasing }) => {
    const bits = Math.trunc(4 * level);
    return enhance.posterise(image, increasing ? 4 - bits : bits);
  },
  ({ image, level, increasing }) => {
    const threshold = Math.trunc(256 * level);
    return enhance.solarise(image, increasing ? 256 - threshold : threshold);
  },
  ({ image, level }) => enhance.solariseAdd(image, Math.trunc(110 * level)),
  (context) => enhance.saturation(context.image, enhanceFactor(context)),
  (context) => enhance.contrast(context.image, enhanceFactor(context)),
  (context) => enhance.brightness(context.image, enhanceFactor(context)),
  (context) => enhance.sharpness(context.image, enhanceFactor(context)),
  ({ image, level, filter, fill, signed }) => warpAffine(image, [1, signed(0.3 * level), 0, 0, 1, 0], filter, fill),
  ({ image, level, filter, fill, signed }) => warpAffine(image, [1, 0, 0, signed(0.3 * level), 1, 0], filter, fill),
  ({ image, level, filter, fill, signed }) =>
    warpAffine(image, [1, 0, signed(0.45 * level) * image.width, 0, 1, 0], filter, fill),
  ({ image, level, filter, fill, signed }) =>
    warpAffine(image, [1, 0, 0, 0, 1, signed(0.45 * level) * image.height], filter, fill),
];

/** Distorts a picture by a few randomly chosen operations; what moves in from outside shows `fill`. */
export function randAugment(
  image: RgbImage,
  options: RandAugmentOptions,
  random: Random,
  { filters = ['bicubic'] as readonly WarpFilter[], fill = [124, 116, 104] as Rgb } = {},
): RgbImage {
  const { magnitude, magnitudeStd, layers, probability, increasing } = options;
  const signed = (value: number) => (random.chance(0.5) ? -value : value);
  const operations = Array.from({ length: layers }, () => random.pick(OPERATIONS));
  return operations.reduce((current, operation) => {
    if (!random.chance(probability)) return current;
    const level = Math.min(10, Math.max(0, random.normal(magnitude, magnitudeStd))) / 10;
    return operation({ image: current, level, increasing, filter: random.pick(filters), fill, signed });
  }, image);
}

/**
 * Reads timm's way of writing a policy, such as `rand-m9-mstd0.5-inc1`: m magnitude (10 if not given), n layers (2), p probability (0.5), mstd
 * deviation (0), inc increasing (0).
 */
export function parseRandAugment(policy: string): RandAugmentOptions {
  const [kind, ...sections] = policy.split('-');
  const values: Record<string, number> = { m: 10, n: 2, p: 0.5, mstd: 0, inc: 0 };
  const valid = sections.every((section) => {
    const [, key = '', value] = /^([a-z]+)(\d+(?:\.\d+)?)$/.exec(section) ?? [];
    if (!(key in values)) return false;
    values[key] = Number(value);
    return true;
  });
  if (kind !== 'rand' || !valid) {
    throw new Error(
      `RandAugment: expected a policy such as 'rand-m9-mstd0.5-inc1' (m, n, p, mstd, inc), received '${policy}'`,
    );
  }
  const { m, n, p, mstd, inc } = values as Record<'m' | 'n' | 'p' | 'mstd' | 'inc', number>;
  return { magnitude: m, magnitudeStd: mstd, layers: n, probability: p, increasing: inc > 0 };
}

function enhanceFactor({ level, increasing, signed }: OperationContext): number {
  return increasing ? Math.max(0.1, 1 + signed(0.9 * level)) : 1.8 * level + 0.1;
}
