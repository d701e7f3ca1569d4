import { mask } from '@cocoeval/ts';
import { blankImage } from '@pyramidal/images';
import { PALETTE } from '@pyramidal/pictures';
import { drawDetections } from './draw-detections';

const SIZE = 96;
const grey = (side: number) => blankImage({ width: side, height: side }, [100, 100, 100]);
const classes = [
  { categoryId: 1, name: 'cat' },
  { categoryId: 2, name: 'dog' },
];
const rectangle = (left: number) =>
  mask.fromPolygons([[left, 50, left + 20, 50, left + 20, 90, left, 90]], SIZE, SIZE)[0]!;

it('tints masks and draws boxes in the colour of the class, the best on top', async () => {
  const drawn = await drawDetections(
    grey(SIZE),
    {
      ...{ width: SIZE, height: SIZE },
      objects: [
        { label: 1, score: 0.9, box: [20, 50, 40, 90], mask: rectangle(20) },
        { label: 0, score: 0.6, box: [30, 50, 50, 90], mask: rectangle(30) },
        { label: 0, score: 0.5, box: [60, 50, 80, 90] },
      ],
    },
    classes,
  );
  const colourAt = (x: number, y: number): number[] => [
    ...drawn.data.slice(3 * (y * SIZE + x), 3 * (y * SIZE + x) + 3),
  ];
  const tinted = (pixel: readonly number[], label: number) => pixel.map((value, c) => Math.round(0.6 * value + 0.4 * PALETTE[label]![c]!)); // prettier-ignore
  const cat = tinted([100, 100, 100], 0);
  expect(colourAt(45, 70)).toEqual(cat);
  expect(colourAt(25, 70)).toEqual(tinted([100, 100, 100], 1));
  expect(colourAt(35, 70)).toEqual(tinted(cat, 1));
  expect(colourAt(70, 70)).toEqual([100, 100, 100]);
  expect(colourAt(60, 80)).not.toEqual([100, 100, 100]);
  expect(colourAt(5, 5)).toEqual([100, 100, 100]);
});

it('draws on a picture that is smaller than its image', async () => {
  const objects = [{ label: 1, score: 0.9, box: [20, 50, 40, 90] as const, mask: rectangle(20) }];
  const drawn = await drawDetections(grey(SIZE / 2), { objects, width: SIZE, height: SIZE }, classes);
  const at = (x: number, y: number): number => drawn.data[3 * ((y * SIZE) / 2 + x)]!;
  expect([at(15, 40), at(44, 44), at(25, 40)]).toEqual([Math.round(60 + 0.4 * PALETTE[1]![0]!), 100, 100]);
});

it('draws outlines in place of tints, and a legend where labels are left out', async () => {
  const object = { label: 0, score: 0.9, box: [20, 50, 40, 90] as const, mask: rectangle(20) };
  const drawn = await drawDetections(
    grey(SIZE),
    { objects: Array.from({ length: 9 }, () => object), width: SIZE, height: SIZE },
    classes,
    { polygons: true, legend: true },
  );
  const at = (x: number, y: number): number[] => [...drawn.data.slice(3 * (y * drawn.width + x)).subarray(0, 3)];
  expect(at(30, 70)).toEqual([100, 100, 100]);
  expect(at(20, 70)).toEqual([...PALETTE[0]!]);
  expect(drawn.width).toBe(SIZE + 110);
  expect(at(SIZE + 8, 9)).toEqual([...PALETTE[0]!]);
});
