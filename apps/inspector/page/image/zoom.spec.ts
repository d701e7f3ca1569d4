import { columnsOf, FITTED, panned, placementOf, zoomed } from './zoom';

const image = { width: 400, height: 200 };
const pane = { width: 800, height: 800 };

it('fits the image into the middle of its pane', () => {
  expect(placementOf(FITTED, image, pane)).toEqual({ scale: 2, left: 0, top: 200 });
});

it('enlarges about a point, which stays where it is', () => {
  const at = { x: 200, y: 300 };
  const of = ({ scale, left, top }: { scale: number; left: number; top: number }) => [
    (at.x - left) / scale,
    (at.y - top) / scale,
  ];
  const zoom = zoomed(FITTED, 3, { image, pane, at });
  expect(zoom.scale).toBe(3);
  const [before, after] = [of(placementOf(FITTED, image, pane)), of(placementOf(zoom, image, pane))];
  expect(after[0]).toBeCloseTo(before[0]!, 9);
  expect(after[1]).toBeCloseTo(before[1]!, 9);
  expect(zoomed(zoom, 0.01, { image, pane })).toEqual(FITTED);
});

it('moves by pixels of the pane, and not beyond the image', () => {
  const zoom = zoomed(FITTED, 2, { image, pane });
  const moved = panned(zoom, 80, -40, image, pane);
  expect(placementOf(moved, image, pane).left - placementOf(zoom, image, pane).left).toBeCloseTo(80, 9);
  expect(panned(zoom, 1e6, 0, image, pane).x).toBe(0);
  expect(panned(FITTED, 10, 10, image, pane)).toEqual(FITTED);
});

it('puts panes where they are largest', () => {
  const screen = { width: 1200, height: 800 };
  expect(columnsOf(1, image, screen)).toBe(1);
  expect(columnsOf(3, { width: 400, height: 800 }, screen)).toBe(3);
  expect(columnsOf(5, { width: 400, height: 300 }, screen)).toBe(3);
  expect(columnsOf(2, { width: 800, height: 200 }, screen)).toBe(1);
});
