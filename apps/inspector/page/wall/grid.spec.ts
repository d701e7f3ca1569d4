import { gridOf, shownRange, stepTo } from './grid';

it('lays tiles of at least 200 pixels side by side', () => {
  expect(gridOf(1000, 5000)).toEqual({ columns: 4, rows: 1250, tileWidth: 242, rowHeight: 218 });
  expect(gridOf(90, 3)).toMatchObject({ columns: 1, rows: 3, tileWidth: 90 });
});

it('shows the rows on the screen and two beyond', () => {
  const grid = gridOf(1000, 5000);
  expect(shownRange(grid, { top: 0, height: 600, images: 5000 })).toEqual([0, 20]);
  expect(shownRange(grid, { top: 218 * 100, height: 600, images: 5000 })).toEqual([392, 420]);
  expect(shownRange(grid, { top: 218 * 1247, height: 600, images: 4999 })).toEqual([4980, 4999]);
});

it('follows the keys within the wall', () => {
  const steps = { columns: 4, images: 10, page: 2 };
  const places = ['ArrowRight', 'ArrowDown', 'ArrowUp', 'PageDown', 'Home', 'End'].map((key) => stepTo(key, 3, steps));
  expect(places).toEqual([4, 7, 0, 9, 0, 9]);
  expect(stepTo('a', 3, steps)).toBeUndefined();
});
