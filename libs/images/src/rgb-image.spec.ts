import { type RgbImage, blankImage, cropImage, flipImage, padImage } from './rgb-image';

/** Pixel (x, y) is [x, y, 9]. */
const grid = (width: number, height: number): RgbImage => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return [pixel % width, Math.floor(pixel / width), 9][i % 3]!;
  }),
});
const pixel = ({ data, width }: RgbImage, x: number, y: number) => [
  ...data.subarray((y * width + x) * 3).subarray(0, 3),
];

describe('cropImage', () => {
  it('copies the rectangle', () => {
    const crop = cropImage(grid(5, 4), { x: 2, y: 1, width: 3, height: 2 });
    expect(crop).toMatchObject({ width: 3, height: 2 });
    expect(pixel(crop, 0, 0)).toEqual([2, 1, 9]);
    expect(pixel(crop, 2, 1)).toEqual([4, 2, 9]);
  });

  it.each([
    { x: 3, y: 0, width: 3, height: 1 },
    { x: 0, y: -1, width: 1, height: 1 },
    { x: 0, y: 0, width: 0, height: 1 },
  ])('refuses %j outside a 5x4 picture', (rect) => {
    expect(() => cropImage(grid(5, 4), rect)).toThrow('expected a rectangle inside 5x4');
  });
});

describe('flipImage', () => {
  it('mirrors left and right, and twice gives the picture back', () => {
    const image = grid(3, 2);
    expect(pixel(flipImage(image), 0, 1)).toEqual([2, 1, 9]);
    expect(flipImage(flipImage(image))).toEqual(image);
  });
});

describe('padImage', () => {
  it('puts the picture where told and fills the rest', () => {
    const padded = padImage(grid(2, 2), { width: 4, height: 3 }, { x: 1, y: 1, fill: [7, 8, 6] });
    expect(padded).toMatchObject({ width: 4, height: 3 });
    expect(pixel(padded, 1, 1)).toEqual([0, 0, 9]);
    expect(pixel(padded, 2, 2)).toEqual([1, 1, 9]);
    expect(pixel(padded, 3, 2)).toEqual([7, 8, 6]);
    expect(pixel(padded, 0, 0)).toEqual([7, 8, 6]);
  });

  it('cuts off what does not fit', () => {
    const shifted = padImage(grid(4, 4), { width: 4, height: 4 }, { x: -1, y: 2 });
    expect(pixel(shifted, 0, 2)).toEqual([1, 0, 9]);
    expect(pixel(shifted, 3, 3)).toEqual([0, 0, 0]);
    expect(padImage(grid(2, 2), { width: 3, height: 3 }, { x: 5 })).toEqual(blankImage({ width: 3, height: 3 }));
  });
});
