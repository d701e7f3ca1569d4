/** Repeated augmentation: the order of an epoch in which each image comes several times in a row, as in timm's RASampler in one process. */
import { Random } from '@pyramidal/random';

/** Stream of the run's seed that orders come from; the loader's own samples and batches use others. */
const ORDER = 0;

export interface Repetition {
  readonly seed: number;
  /** 1 or more; each copy is augmented anew. */
  readonly repeats: number;
}

/**
 * An epoch stays as long as it is, of fewer images: the first ones of a new shuffle each epoch (Hoffer et al., "Augment your
 * batch", CVPR 2020, after Berman et al., "MultiGrain", 2019).
 */
export function repeatedOrder<Item>(items: readonly Item[], { seed, repeats }: Repetition): (epoch: number) => Item[] {
  return (epoch) => {
    const shuffled = new Random([seed, ORDER, epoch]).permutation(items.length);
    return items.map((_, place) => items[shuffled[Math.floor(place / repeats)]!]!);
  };
}
