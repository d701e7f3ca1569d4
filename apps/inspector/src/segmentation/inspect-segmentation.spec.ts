import { SegmentationEvaluator } from '@pyramidal/segeval';
import { type ClassMap, inspectSegmentation } from './inspect-segmentation';

const [WIDTH, HEIGHT] = [8, 6];
const IMAGES = 6;
const map = (of: (pixel: number) => number): ClassMap => ({
  ...{ width: WIDTH, height: HEIGHT },
  data: Uint8Array.from({ length: WIDTH * HEIGHT }, (_, pixel) => of(pixel)),
});
/** Two classes beside each other, a row without a label. */
const labels = (image: number): ClassMap => map((pixel) => (pixel < WIDTH ? 255 : (pixel + image) % 2));
/** Wrong in as many pixels as the image's number, of the third class. */
const predicted = (image: number): ClassMap =>
  map((pixel) => (pixel >= WIDTH && pixel < WIDTH + image ? 2 : (pixel + image) % 2));

const open = () =>
  inspectSegmentation({
    title: 'maps',
    images: Array.from({ length: IMAGES }, (_, i) => ({ name: `scene/${i}`, file: `/nowhere/${i}.png` })),
    readLabels: async (image) => labels(image),
    classes: ['wall', 'floor', 'lamp'].map((name) => ({ name, colour: [1, 2, 3] })),
    runs: [
      { name: 'a', readMap: async (image) => predicted(image) },
      { name: 'b', readMap: async (image) => predicted(0 * image + (image % 2)) },
    ],
    decode: {},
  });

it('counts what the evaluation counts', async () => {
  const evaluator = new SegmentationEvaluator({ classes: 3 });
  for (let i = 0; i < IMAGES; i++) evaluator.add(predicted(i).data, labels(i).data);
  const { mIoU, mAcc, aAcc } = evaluator.metrics();
  const inspected = await open();
  const [run] = inspected.about.runs;
  expect(run!.metrics).toEqual({ mIoU, mAcc, aAcc });
  const counts = new Float64Array(9);
  for (const [row, column, count] of run!.confusion) counts[3 * row + column] = count;
  expect(counts).toEqual(evaluator.confusion());
});

it('finds images by their share of wrong pixels, classes and cells', async () => {
  const inspected = await open();
  const select = (query: string) => inspected.select(new URLSearchParams(query)).images;
  expect(select('')).toEqual([0, 1, 2, 3, 4, 5]);
  expect(select('minWrong=0.05&maxWrong=0.11')).toEqual([2, 3, 4]); // 2, 3, 4 of 40 pixels
  expect(select('class=2')).toEqual([1, 2, 3, 4, 5]);
  expect(select('order=errors')).toEqual([5, 4, 3, 2, 1, 0]);
  const withCell = [0, 1, 2, 3, 4, 5].filter((image) => {
    const { runs } = inspected.image(image, true) as { runs: readonly { confusion: readonly (readonly number[])[] }[] };
    return runs[0]!.confusion.some(([row, column]) => row === 0 && column === 2);
  });
  expect(select('cell=0:2')).toEqual(withCell);
  expect(() => select('cell=0:3')).toThrow(/cell: expected a whole number below 3/);
});

it('gives maps by layer, whole and small', async () => {
  const inspected = await open();
  expect(await inspected.map!(3, 'label', false)).toEqual(labels(3).data);
  expect(await inspected.map!(3, '0', false)).toEqual(predicted(3).data);
  expect(inspected.image(3, true)).toMatchObject({
    width: WIDTH,
    height: HEIGHT,
    runs: [{ wrong: 3, pixels: 40 }, {}],
  });
  const { small } = inspected.image(3, true) as { small: { width: number; height: number } };
  expect(await inspected.map!(3, '1', true)).toHaveLength(small.width * small.height);
  for (const layer of ['2', '-1', '../label', '', '1e0']) {
    await expect(inspected.map!(3, layer, false)).rejects.toThrow(/expected the map 'label' or the number of a run/);
  }
});

it('names the image whose map has another size', async () => {
  const broken = inspectSegmentation({
    title: 'maps',
    images: [{ name: 'scene/0', file: '' }],
    readLabels: async () => labels(0),
    classes: [
      { name: 'wall', colour: [0, 0, 0] },
      { name: 'floor', colour: [0, 0, 0] },
    ],
    runs: [{ name: 'a', readMap: async () => ({ width: 1, height: 1, data: Uint8Array.of(0) }) }],
    decode: {},
  });
  await expect(broken).rejects.toThrow('a: scene/0: expected 48 predicted pixels as labels, received 1');
});
