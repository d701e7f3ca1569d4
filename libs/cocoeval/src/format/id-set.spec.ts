import fc from 'fast-check';
import { IdSet } from './id-set';

const ids = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.maxSafeInteger(), fc.constantFrom(-0, 2 ** 24 - 1, 2 ** 24));

it('holds the ids that a Set holds', () => {
  fc.assert(
    fc.property(fc.array(ids), fc.array(ids), (added, asked) => {
      const [found, expected] = [new IdSet(), new Set<number>()];
      for (const id of added) {
        expect(found.has(id)).toBe(expected.has(id));
        found.add(id);
        expected.add(id);
      }
      expect(asked.map((id) => found.has(id))).toEqual(asked.map((id) => expected.has(id)));
    }),
  );
});
