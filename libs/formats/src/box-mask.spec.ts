import { mask } from '@cocoeval/ts';
import fc from 'fast-check';
import { cropRuns, placeRuns } from './box-mask';

const side = fc.integer({ min: 1, max: 8 });

it('puts a bitmap where it belongs, and takes it out again', () => {
  fc.assert(
    fc.property(side, side, fc.infinite(fc.boolean()), (width, height, draws) => {
      const data = Uint8Array.from({ length: width * height }, () => Number(draws.next().value));
      const rle = mask.encode({ data, width, height });
      const box = cropRuns(rle);
      expect(placeRuns(box, { width, height })).toEqual(rle);
      box.data.forEach((value, i) => {
        const [x, y] = [box.left + (i % box.width), box.top + Math.floor(i / box.width)];
        expect(value).toBe(data[y * width + x]);
      });
    }),
  );
});

it('needs no bitmap of the image', () => {
  const image = { width: 46_000, height: 46_000 };
  const box = { data: Uint8Array.of(1, 0, 1, 1), left: 45_000, top: 3, width: 2, height: 2 };
  expect(cropRuns(placeRuns(box, image))).toEqual(box);
});
