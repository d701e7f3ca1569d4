import { mask } from '@cocoeval/ts';
import { keepRatioSize } from '@pyramidal/images';
import { Random } from '@pyramidal/random';
import { expectClose, goldenValues, readFixture, type GoldenFull } from '@pyramidal/testing';
import type { Corners } from './dataset';
import { drawGeometry, type Geometry, mapBox } from './geometry';
import { cropMask, drawPolygons } from './mask-crop';

interface GoldenResize {
  readonly size: readonly [number, number];
  readonly results: Readonly<
    Record<string, { readonly scale: readonly number[]; readonly new_size: readonly number[] }>
  >;
  readonly pipeline_1333x800?: { readonly boxes: GoldenFull; readonly flipped: { readonly horizontal: GoldenFull } };
}

const fixture = <T>(name: string): T => readFixture(__dirname, name) as T;
const resize = fixture<{ boxes: GoldenFull; images: GoldenResize[] }>('resize');
const targets = fixture<{
  polygons: number[][][];
  clipped_boxes: GoldenFull;
  assigned_gt: number[];
  from_polygon: { rows: string[] }[];
}>('mask_targets');

const unchanged = (width: number, height: number): Geometry => ({
  size: { width, height },
  mirror: false,
  scale: [1, 1],
  offset: [0, 0],
});

describe('drawGeometry', () => {
  it.each(resize.images)(
    'resizes and moves boxes as the reference: %#',
    ({ size: [height, width], results, ...golden }) => {
      for (const { scale, new_size } of Object.values(results)) {
        const limits = { shortest: Math.min(...scale), longest: Math.max(...scale) };
        const size = keepRatioSize({ width, height }, limits);
        expect([size.height, size.width]).toEqual(new_size);
      }
      if (golden.pipeline_1333x800 === undefined) return;
      const { boxes, flipped } = golden.pipeline_1333x800;
      for (const [flip, expected] of [
        [0, boxes],
        [1, flipped.horizontal],
      ] as const) {
        // prettier-ignore
        const scales = [{ shortest: 800, longest: 1333 }];
        const geometry = drawGeometry({ width, height }, { scales, flip }, new Random([1]));
        const rows = goldenValues(resize.boxes);
        const wanted = goldenValues(expected);
        for (let i = 0; i < rows.length; i += 4) {
          const [x1, y1, x2, y2] = wanted.slice(i, i + 4) as [number, number, number, number];
          const moved = mapBox(geometry, rows.slice(i, i + 4) as [number, number, number, number]);
          if (x2 > x1 && y2 > y1) expectClose(moved!, [x1, y1, x2, y2], { atol: 2e-4 }, `box ${i / 4}`);
          else expect(moved).toBeUndefined();
        }
      }
    },
  );

  it('crops within its limits and keeps boxes on what they show', () => {
    const crop = { probability: 1, scales: [{ shortest: 400, longest: 1333 }], sides: [384, 600] as const };
    const options = { scales: [480, 800].map((shortest) => ({ shortest, longest: 1333 })), flip: 0.5, crop };
    for (let seed = 0; seed < 50; seed++) {
      const geometry = drawGeometry({ width: 640, height: 480 }, options, new Random([seed]));
      const { rect, resized } = geometry.crop!;
      expect([resized.width, resized.height]).toEqual([533, 400]);
      expect(rect.width >= 384 && rect.width <= 533 && rect.height >= 384 && rect.height <= 400).toBe(true);
      expect(rect.x + rect.width <= 533 && rect.y + rect.height <= 400).toBe(true);
      const whole = mapBox(geometry, [0, 0, 640, 480])!;
      expectClose(whole, [0, 0, geometry.size.width, geometry.size.height], { atol: 1e-6 });
      // A box in the middle of the crop stays in the middle, mirrored or not.
      const [cx, cy] = [((rect.x + rect.width / 2) * 640) / 533, ((rect.y + rect.height / 2) * 480) / 400];
      const [x1, y1, x2, y2] = mapBox(geometry, [cx - 10, cy - 10, cx + 10, cy + 10])!;
      const { width, height } = geometry.size;
      expectClose([(x1 + x2) / 2, (y1 + y2) / 2], [width / 2, height / 2], { atol: 1e-6 });
    }
  });
});

describe('cropMask', () => {
  it('draws polygons as the reference draws them over a box', () => {
    const boxes = goldenValues(targets.clipped_boxes);
    targets.from_polygon.forEach(({ rows }, i) => {
      const [x1, y1, x2, y2] = boxes.slice(4 * i, 4 * i + 4) as [number, number, number, number];
      const region: Corners = [x1, y1, x1 + Math.max(x2 - x1, 1), y1 + Math.max(y2 - y1, 1)];
      const drawn = drawPolygons(targets.polygons[targets.assigned_gt[i]!]!, region, 28);
      expect([...drawn].join('')).toBe(rows.join(''));
    });
  });

  it('jitters: a window of the usual frame in a much larger image, a small one whole', () => {
    const scales = [{ shortest: 32, longest: 64 }];
    for (let seed = 0; seed < 50; seed++) {
      const image = { width: 90, height: 60 };
      const geometry = drawGeometry(image, { scales, largeScaleJitter: [0.1, 2] }, new Random([seed]));
      const { resized, rect } = geometry.crop!;
      const factor = resized.width / (image.width * (32 / 60));
      expect(factor).toBeGreaterThan(0.08);
      expect(factor).toBeLessThan(2.03);
      expect(geometry.size).toEqual({ width: Math.min(64, resized.width), height: Math.min(32, resized.height) });
      expect(rect).toMatchObject(geometry.size);
      // The window's corner comes to lie at the origin.
      const corner = [(rect.x * image.width) / resized.width, (rect.y * image.height) / resized.height] as const;
      expect(mapBox(geometry, [corner[0], corner[1], image.width, image.height])!.slice(0, 2)).toEqual([
        expect.closeTo(0, 9),
        expect.closeTo(0, 9),
      ]);
    }
  });

  it('shows the same object from polygons and from runs, also mirrored', () => {
    const polygons = [[8, 6, 30, 10, 26, 34, 10, 30]];
    const runs = mask.merge(mask.fromPolygons(polygons, 40, 40));
    for (const mirror of [false, true]) {
      const geometry: Geometry = { size: { width: 80, height: 80 }, mirror, scale: [2, 2], offset: [0, 0] };
      const box = mapBox(geometry, [8, 6, 30, 34])!;
      const [fromPolygons, fromRuns] = [polygons, runs].map((shape) => cropMask(shape, geometry, box, 42));
      expect(fromPolygons!.region).toEqual(fromRuns!.region);
      const same = fromPolygons!.data.reduce((count, cell, i) => count + Number(cell === fromRuns!.data[i]), 0);
      expect(same / (42 * 42)).toBeGreaterThan(0.95);
    }
  });

  it('leaves a cell around the box empty', () => {
    const square = [[10, 10, 20, 10, 20, 20, 10, 20]];
    const { data, region } = cropMask(square, unchanged(40, 40), [10, 10, 20, 20], 12);
    expect(region).toEqual([9, 9, 21, 21]);
    const rows = Array.from({ length: 12 }, (_, y) => [...data.slice(12 * y, 12 * y + 12)].join(''));
    expect(rows).toEqual(['000000000000', ...Array<string>(10).fill('011111111110'), '000000000000']);
  });
});
