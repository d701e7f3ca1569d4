import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { goldenNoise } from '@pyramidal/testing';
import { cropLabels, flipLabels, IGNORE, type LabelMap, resizeLabels } from './label-map';
import { distortColours, type Draws } from '@pyramidal/images';
import { drawCrop } from './random-crop';
import { scaledSize } from './transform';

/** Numbers of mmseg 0.11.0 and OpenCV 4.14, with the draws that made them. */
const read = <T>(file: string): T => JSON.parse(readFileSync(join(__dirname, '../fixtures', file), 'utf8')) as T;

type Draw = readonly [kind: 'randint' | 'uniform', low: number, high: number | null, value: number];

const augment = read<{
  photometric: { cases: Record<string, { draws: Draw[]; output: number[][][] }> };
  random_crop: {
    cases: Record<
      string,
      { cat_max_ratio: number; crop_size: [number, number]; offsets_drawn: [number, number][]; taken: [number, number] }
    >;
  };
}>('seg_augment.json');

const resize = read<{
  images: { size: [number, number]; results: Record<string, { new_size: [number, number] }> }[];
  pixels: { results: Record<string, { nearest: number[][] }> };
}>('resize.json');

/** Hands the written draws out and checks what is asked. */
function scripted(draws: readonly Draw[]): Draws & { left: () => number } {
  let next = 0;
  const take = (kind: Draw[0], span: number): Draw => {
    const draw = draws[next++]!;
    const [drawn, low, high] = draw;
    expect([drawn, high === null ? low : high - low]).toEqual([kind, span]);
    return draw;
  };
  return {
    integer: (count) => {
      const [, low, high, value] = take('randint', count);
      return high === null ? value : value - low;
    },
    uniform: (low, high) => take('uniform', high - low)[3],
    left: () => draws.length - next,
  };
}

/** BGR and RGB swapped. */
const swapped = (data: ArrayLike<number>): Uint8Array =>
  Uint8Array.from(data, (_, i) => data[i - (i % 3) + (2 - (i % 3))]!);

describe('distortColours', () => {
  it.each(Object.entries(augment.photometric.cases))('gives the bytes of golden/seg_augment.json: %s', (_, golden) => {
    const bgr = Uint8Array.from(goldenNoise('aug.img', [4, 5, 3]), (r) => Math.floor(((r + 1) / 2) * 256));
    const draws = scripted(golden.draws);
    const { data } = distortColours({ data: swapped(bgr), width: 5, height: 4 }, draws);
    expect([...swapped(data)]).toEqual(golden.output.flat(2));
    expect(draws.left()).toBe(0);
  });
});

describe('drawCrop', () => {
  const labels: LabelMap = { data: new Uint8Array(30 * 40), width: 40, height: 30 };
  for (let y = 0; y < 30; y++) {
    for (let x = 0; x < 40; x++) {
      if (x >= 20) labels.data[y * 40 + x] = 1;
      if (y >= 10 && y < 20 && x >= 24 && x < 36) labels.data[y * 40 + x] = 2;
      if (y < 6 && x < 10) labels.data[y * 40 + x] = IGNORE;
    }
  }

  it.each(Object.entries(augment.random_crop.cases))('takes the window of golden/seg_augment.json: %s', (_, golden) => {
    const [height, width] = golden.crop_size;
    const draws = golden.offsets_drawn.flatMap(([y, x]): Draw[] => [
      ['randint', 0, 15, y],
      ['randint', 0, 25, x],
    ]);
    const script = scripted(draws);
    const window = drawCrop(labels, { width, height, catMaxRatio: golden.cat_max_ratio }, script);
    expect([window.y, window.x]).toEqual(golden.taken);
    expect(script.left()).toBe(0);
  });

  it('takes a smaller map whole', () => {
    const script = scripted([
      ['randint', 0, 1, 0],
      ['randint', 0, 1, 0],
    ]);
    expect(drawCrop(labels, { width: 64, height: 64, catMaxRatio: 1 }, script)).toEqual({
      x: 0,
      y: 0,
      width: 40,
      height: 30,
    });
  });
});

describe('sizes and labels', () => {
  const RATIOS = { seg_2048x512: 1, seg_2048x512_ratio1_5: 1.5, seg_ratio0_77: 0.77 } as const;

  it.each(resize.images.map(({ size, results }) => [size.join('x'), size, results] as const))(
    'resizes %s as golden/resize.json',
    (_, [height, width], results) => {
      for (const [name, ratio] of Object.entries(RATIOS)) {
        const size = scaledSize({ width, height }, { longest: 2048, shortest: 512 }, ratio);
        expect([size.height, size.width]).toEqual(results[name]!.new_size);
      }
    },
  );

  it.each(Object.entries(resize.pixels.results))(
    'picks the nearest labels as golden/resize.json: %s',
    (size, golden) => {
      const [height, width] = size.split('x').map(Number) as [number, number];
      const data = Uint8Array.from(goldenNoise('resize.label', [7, 9]), (r) => Math.floor(((r + 1) / 2) * 10));
      expect([...resizeLabels({ data, width: 9, height: 7 }, { width, height }).data]).toEqual(golden.nearest.flat());
    },
  );

  it('mirrors rows and crops beyond the border', () => {
    const map = { data: Uint8Array.of(1, 2, 3, 4), width: 2, height: 2 };
    expect([...flipLabels(map).data]).toEqual([2, 1, 4, 3]);
    expect([...cropLabels(map, { x: 1, y: 0, width: 2, height: 3 }).data]).toEqual([2, 255, 4, 255, 255, 255]);
  });
});
