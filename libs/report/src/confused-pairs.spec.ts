import { confusedPairs } from './confused-pairs';

it('orders pairs of classes by how often one is taken for the other', () => {
  const pairs = confusedPairs([Uint32Array.of(5, 1, 4), Uint32Array.of(0, 3, 0), Uint32Array.of(2, 0, 2)]);
  expect(pairs).toEqual([
    { truth: 0, predicted: 2, count: 4, share: 0.4 },
    { truth: 2, predicted: 0, count: 2, share: 0.5 },
    { truth: 0, predicted: 1, count: 1, share: 0.1 },
  ]);
});
