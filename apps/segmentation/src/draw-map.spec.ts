import { blankImage } from '@pyramidal/images';
import { drawMap, frequentClasses } from './draw-map';

const CLASSES = [
  { name: 'wall', colour: [200, 0, 0] },
  { name: 'sky', colour: [0, 0, 200] },
] as const;

describe('drawMap', () => {
  it('tints every pixel by its class and puts a legend beside the picture', async () => {
    const map = Uint8Array.from({ length: 300 * 250 }, (_, i) => (i % 300 < 100 ? 1 : 0));
    const size = { width: 300, height: 250 };
    const drawn = await drawMap(blankImage(size, [100, 100, 100]), { map, ...size }, CLASSES);
    expect([drawn.width, drawn.height]).toEqual([410, 250]);
    const at = (x: number, y: number): number[] => [...drawn.data.slice((y * 410 + x) * 3, (y * 410 + x) * 3 + 3)];
    expect(at(10, 200)).toEqual([45, 45, 155]);
    expect(at(200, 200)).toEqual([155, 45, 45]);
    expect(at(400, 240)).toEqual([255, 255, 255]);
    // The most frequent class stands first.
    const [red, , blue] = at(306, 10) as [number, number, number];
    expect(red).toBeGreaterThan(blue);
  });
});

it('draws the map of an image that is larger than its picture', async () => {
  const map = Uint8Array.from({ length: 600 * 500 }, (_, i) => (i % 600 < 200 ? 1 : 0));
  const picture = blankImage({ width: 300, height: 250 }, [100, 100, 100]);
  await drawMap(picture, { map, width: 600, height: 500 }, CLASSES);
  const at = (x: number): number => picture.data[(200 * 300 + x) * 3]!;
  expect([at(99), at(100)]).toEqual([45, 155]);
});

it('leaves pixels of no class as they are, and names them in no legend', async () => {
  const size = { width: 300, height: 250 };
  const map = new Uint8Array(300 * 250).fill(255);
  const unlabelled = await drawMap(blankImage(size, [100, 100, 100]), { map, ...size }, CLASSES);
  expect([...unlabelled.data.slice(0, 3)]).toEqual([100, 100, 100]);
  const legend = unlabelled.data.filter((_, i) => Math.floor(i / 3) % 410 >= 300);
  expect(new Set(legend)).toEqual(new Set([255]));
});

it('orders classes by their pixels, equal ones by label', () => {
  expect(frequentClasses(Uint8Array.of(2, 0, 2, 1, 0, 5))).toEqual([0, 2, 1, 5]);
});
