/** Draws from the common distributions, seeded by whole numbers. */
import { sfc32 } from './sfc32';

/** Whole numbers that name one stream of random numbers, such as [run seed, epoch, image]. */
export type Seed = readonly number[];

/** A small, fast generator (sfc32) whose numbers depend on its seed alone, so the order in which workers finish does not matter. */
export class Random {
  /** A whole number in [0, 2^32). */
  readonly bits: () => number;

  constructor(seed: Seed) {
    let hash = 0x9e3779b9;
    const words = [0, 0, 0];
    for (let word = 0; word < 3; word++) {
      for (const part of [word, ...seed]) hash = mix(hash ^ mix(part | 0) ^ Math.imul(part / 2 ** 32, 0x85ebca6b));
      words[word] = hash;
    }
    this.bits = sfc32(...(words as [number, number, number]));
    for (let i = 0; i < 8; i++) this.bits();
  }

  /** Uniform in [low, high); default [0, 1). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.bits() / 2 ** 32);
  }

  /** A whole number in [0, count). */
  integer(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  pick<T>(options: readonly T[]): T {
    return options[this.integer(options.length)]!;
  }

  /** Normal by Box and Muller. */
  normal(mean = 0, deviation = 1): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return mean + deviation * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Beta(alpha, alpha) as a ratio of gamma draws. */
  beta(alpha: number): number {
    const x = this.gamma(alpha);
    const y = this.gamma(alpha);
    return x / (x + y);
  }

  /** The numbers 0 to count - 1 in random order (Fisher and Yates). */
  permutation(count: number): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }

  /** Gamma(shape, 1) by Marsaglia and Tsang; shapes below 1 through shape + 1. */
  private gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * (1 - this.uniform()) ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v > 0 && Math.log(1 - this.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  }
}

/** Murmur3's finaliser. */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
