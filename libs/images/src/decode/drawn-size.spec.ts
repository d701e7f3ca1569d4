import { drawnSize } from './drawn-size';

it.each([
  [4032, 3024, 4032, 3024],
  [2500, 5000, 2500, 5000],
  [7000, 7000, 2000, 2000],
  [8000, 6000, 2309, 1732],
  [65_535, 1, 16_384, 1],
  [1, 40_000, 1, 16_384],
  [1, 1, 1, 1],
])('%dx%d is drawn at %dx%d', (width, height, drawnWidth, drawnHeight) => {
  expect(drawnSize({ width, height })).toEqual({ width: drawnWidth, height: drawnHeight });
});
