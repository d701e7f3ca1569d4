import { mask } from '@cocoeval/ts';
import { nearestIndex } from '@pyramidal/images';
import fc from 'fast-check';
import { scaleMask } from './scale-mask';

const side = fc.integer({ min: 1, max: 9 });
const pixels = fc.uint8Array({ minLength: 81, maxLength: 81, max: 1 });

it('gives each pixel the nearest one of the mask, at any size', () => {
  fc.assert(
    fc.property(side, side, side, side, pixels, (rows, columns, height, width, drawn) => {
      const data = drawn.slice(0, rows * columns);
      const [ys, xs] = [nearestIndex(rows, height), nearestIndex(columns, width)];
      const expected = [...ys].flatMap((y) => [...xs].map((x) => data[y * columns + x]!));
      const rle = mask.encode({ height: rows, width: columns, data });
      expect([...scaleMask(rle, { width, height })]).toEqual(expected);
    }),
  );
});

it('is the mask itself at its own size', () => {
  const rle = mask.fromPolygons([[3, 2, 60, 5, 40, 44]], 48, 64)[0]!;
  expect(scaleMask(rle, { width: 64, height: 48 })).toEqual(mask.decode(rle).data);
});
