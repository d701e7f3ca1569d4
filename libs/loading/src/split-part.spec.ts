/** A share of a set that is held out: which, how much of it, and what it does not depend on. */
import { partOf } from './split-part';

const names = Array.from({ length: 40 }, (_, i) => `photo-${i}.jpg`);
const keyOf = (name: string): string => name;
const held = (items: readonly string[], share = 0.1, seed = 0): string[] =>
  partOf(items, { share, seed, take: 'validation' }, { keyOf });

it('parts a set in two, each in the order of the set', () => {
  const validation = held(names);
  const training = partOf(names, { share: 0.1, seed: 0, take: 'training' }, { keyOf });
  expect(validation).toHaveLength(4);
  expect(training).toEqual(names.filter((name) => !validation.includes(name)));
  expect(validation).toEqual(names.filter((name) => validation.includes(name)));
});

it('depends on names and seed, not on the order', () => {
  expect(held([...names].reverse()).sort()).toEqual(held(names).sort());
  expect(held(names, 0.1, 1)).not.toEqual(held(names));
  // The same on every machine and in every version: a run that goes on meets its own split.
  expect(held(names)).toMatchInlineSnapshot(`
    [
      "photo-8.jpg",
      "photo-29.jpg",
      "photo-31.jpg",
      "photo-35.jpg",
    ]
  `);
});

it('takes the share of every group, and at least one of two', () => {
  const groupOf = (name: string): string => name[6]!;
  const validation = partOf(names, { share: 0.2, seed: 3, take: 'validation' }, { keyOf, groupOf });
  const counts = (of: readonly string[]) => ['1', '2', '3', '4'].map((k) => of.filter((n) => groupOf(n) === k).length);
  expect(counts(names)).toEqual([11, 11, 11, 1]);
  expect(counts(validation)).toEqual([2, 2, 2, 0]);
  expect(held(['a', 'b'], 0.01)).toHaveLength(1);
  expect(held(['a', 'b'], 0.99)).toHaveLength(1);
});

it('refuses a set of which nothing can be held out', () => {
  expect(() => held(['a'])).toThrow('expected at least two images to hold a share out for validation, received 1');
});
