import { mask } from '@cocoeval/ts';
import fc from 'fast-check';
import { cropRuns, placeRuns } from './box-mask';

const side = fc.integer({ min: 1, max: 8 });
const pixels = fc.uint8Array({ minLength: 64, maxLength: 64, max: 1 });

it('puts a bitmap where it belongs, and takes it out again', () => {
  fc.assert(
    fc.property(side, side, pixels, (width, height, drawn) => {
      const data = drawn.slice(0, width * height);
      const rle = mask.encode({ data, width, height });
      const box = cropRuns(rle, 'it');
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
  expect(cropRuns(placeRuns(box, image), 'it')).toEqual(box);
  const whole = mask.fromUncompressed({ size: [46_000, 46_000], counts: [0, 46_000 * 46_000] });
  expect(() => cropRuns(whole, 'it')).toThrow('it: expected a mask of at most 50000000 pixels, received 46000x46000');
});
