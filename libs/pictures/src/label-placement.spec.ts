import fc from 'fast-check';
import { type Box, type Label, overlap, placeLabels } from './label-placement';

const PICTURE = { width: 200, height: 150 };
const LABEL = { width: 40, height: 12 };
const areaOf = ([x1, y1, x2, y2]: Box) => (x2 - x1) * (y2 - y1);
const place = (box: Box, others: readonly Box[] = []) => placeLabels([{ box, ...LABEL }], [box, ...others], PICTURE)[0];

describe('placeLabels', () => {
  it.each<[string, Box, readonly Box[], Box]>([
    ['above its box', [60, 60, 90, 90], [], [60, 48, 100, 60]],
    ['below one at the top', [60, 4, 90, 30], [], [60, 30, 100, 42]],
    ['along its side into the picture', [180, 60, 199, 90], [], [160, 48, 200, 60]],
    ['inside one that fills the picture', [0, 0, 200, 150], [], [0, 0, 40, 12]],
    ['away from a small object', [60, 60, 90, 90], [[70, 45, 80, 55]], [60, 90, 100, 102]],
    ['over a large object, of which it hides little', [60, 60, 90, 90], [[10, 10, 190, 140]], [60, 48, 100, 60]],
  ])('puts a label %s', (_, box, others, expected) => {
    expect(place(box, others)).toEqual(expected);
  });

  it('puts a label without a box into a corner', () => {
    const label = { width: 90, height: 30 };
    const places = placeLabels([label, label, label, label, label], [], PICTURE);
    expect(places.map((corner) => corner?.slice(0, 2))).toEqual([[0, 0], [110, 0], [0, 120], [110, 120], undefined]); // prettier-ignore
  });

  it('leaves out a label that is larger than the picture, and the least certain of those that fill it', () => {
    expect(placeLabels([{ width: 201, height: 5 }], [], PICTURE)).toEqual([undefined]);
    const crowd = Array.from({ length: 400 }, (): Box => [90, 70, 96, 76]);
    const places = placeLabels(
      crowd.map((box) => ({ box, ...LABEL })),
      crowd,
      PICTURE,
    );
    const shown = places.map((one) => one !== undefined);
    expect(shown[0]).toBe(true);
    expect(shown.at(-1)).toBe(false);
  });

  const box = fc
    .tuple(
      fc.double({ min: -20, max: 190, noNaN: true }),
      fc.double({ min: -20, max: 140, noNaN: true }),
      fc.double({ min: 0, max: 150, noNaN: true }),
      fc.double({ min: 0, max: 120, noNaN: true }),
    ) // prettier-ignore
    .map(([x, y, width, height]): Box => [x, y, x + width, y + height]);
  const label = fc.record({ box, width: fc.integer({ min: 1, max: 80 }), height: fc.integer({ min: 1, max: 20 }) });
  const labels = fc.array(label, { maxLength: 40 });
  const boxesOf = (list: readonly { readonly box: Box }[]) => list.map((one) => one.box);

  it('keeps labels whole: inside, beside each other, over no small object', () => {
    fc.assert(
      fc.property(labels, (list) => {
        const objects = boxesOf(list);
        const found = placeLabels(list, objects, PICTURE);
        const places = found.filter((one) => one !== undefined);
        for (const [i, one] of places.entries()) {
          expect(one[0] >= 0 && one[1] >= 0 && one[2] <= PICTURE.width && one[3] <= PICTURE.height).toBe(true);
          for (const other of places.slice(0, i)) expect(overlap(one, other)).toBe(0);
          const small = objects.filter((object) => areaOf(object) > 0 && areaOf(object) < 8 * areaOf(one));
          for (const object of small) expect(overlap(one, object) / areaOf(object)).toBeLessThanOrEqual(0.1);
        }
      }),
    );
  });

  it('leaves a label out only where what is more certain or small is in its way', () => {
    fc.assert(
      fc.property(labels, (list) => {
        const objects = boxesOf(list);
        const found = placeLabels(list, objects, PICTURE);
        list.forEach(({ box: [x1, y1, , y2], width, height }, i) => {
          if (found[i] !== undefined) return;
          const left = Math.max(0, Math.min(Math.floor(x1), PICTURE.width - width));
          for (const top of [Math.floor(y1) - height, Math.ceil(y2)]) {
            const wanted: Box = [left, top, left + width, top + height];
            const isInside = top >= 0 && top + height <= PICTURE.height;
            const blocked = [...found.slice(0, i), ...objects].some((other) => other && overlap(wanted, other) > 0);
            expect(isInside && !blocked).toBe(false);
          }
        });
      }),
    );
  });

  it('gives the more certain the choice: labels that follow change nothing for them', () => {
    fc.assert(
      fc.property(labels, fc.nat(40), (list: readonly Label[], count) => {
        const objects = boxesOf(list as readonly { readonly box: Box }[]);
        const first = placeLabels(list.slice(0, count), objects, PICTURE);
        expect(placeLabels(list, objects, PICTURE).slice(0, count)).toEqual(first);
      }),
    );
  });
});
