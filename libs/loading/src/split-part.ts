/** A validation set out of a training set, for data that has none of its own. */
import { createHash } from 'node:crypto';

/** One side of a set that is split in two. */
export interface SplitPart {
  /** Of the items that validate, between 0 and 1. */
  readonly share: number;
  /** Another seed draws others. */
  readonly seed: number;
  readonly take: 'training' | 'validation';
}

interface Naming<Item> {
  /** A name that no other item has. The names and the seed decide the split, and not the order of the items. */
  readonly keyOf: (item: Item) => string | number;
  /** Items of one group, such as a class, are split by themselves; all together unless told. */
  readonly groupOf?: (item: Item) => unknown;
}

/**
 * The items of one side of a split, in their order. Each group gives its share of items, at least one if it has two;
 * the only item of a group stays in training.
 * @throws RangeError if nothing is left for validation.
 */
export function partOf<Item>(
  items: readonly Item[],
  { share, seed, take }: SplitPart,
  { keyOf, groupOf = () => undefined }: Naming<Item>,
): Item[] {
  const drawn = new Set<Item>();
  for (const group of groups(items, groupOf)) {
    const count = Math.min(Math.max(Math.round(share * group.length), 1), group.length - 1);
    const ranked = group.map((item) => ({ item, rank: rankOf(keyOf(item), seed) }));
    ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
    for (const { item } of ranked.slice(0, count)) drawn.add(item);
  }
  if (drawn.size === 0) {
    throw new RangeError(`expected at least two images to hold a share out for validation, received ${items.length}`);
  }
  return items.filter((item) => drawn.has(item) === (take === 'validation'));
}

/** Decided by the name and the seed alone. */
const rankOf = (key: string | number, seed: number): string =>
  createHash('sha256').update(`${seed}/${key}`).digest('hex');

function groups<Item>(items: readonly Item[], groupOf: (item: Item) => unknown): Iterable<readonly Item[]> {
  const found = new Map<unknown, Item[]>();
  for (const item of items) {
    const group = found.get(groupOf(item));
    if (group === undefined) found.set(groupOf(item), [item]);
    else group.push(item);
  }
  return found.values();
}
