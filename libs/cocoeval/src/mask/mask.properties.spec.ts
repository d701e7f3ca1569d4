import fc from 'fast-check';
import * as mask from './mask';
import type { Rle } from '../format/types';

const bitmaps = (height: number, width: number) =>
  fc.array(fc.integer({ min: 0, max: 1 }), { minLength: height * width, maxLength: height * width });

const size = fc.tuple(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 24 }));

const oneMask = size.chain(([height, width]) => bitmaps(height, width).map((data) => ({ height, width, data })));

const someMasks = (count: number) =>
  size.chain(([height, width]) =>
    fc
      .array(bitmaps(height, width), { minLength: count, maxLength: count })
      .map((all) => all.map((data) => mask.encode({ height, width, data }))),
  );

const polygons = fc.array(fc.array(fc.double({ min: -20, max: 60, noNaN: true }), { minLength: 6, maxLength: 24 }), {
  minLength: 1,
  maxLength: 3,
});

describe('mask, for any input', () => {
  it('decoding inverts encoding, in either order of pixels', () => {
    fc.assert(
      fc.property(oneMask, ({ height, width, data }) => {
        const rle = mask.encode({ height, width, data });
        expect([...mask.decode(rle).data]).toEqual(data);
        const turned = data.map((_, i) => data[(i % height) * width + Math.floor(i / height)] as number);
        expect(mask.encode({ height, width, data: turned, order: 'column-major' })).toEqual(rle);
      }),
    );
  });

  it('packing and unpacking runs are inverse, for runs of any length', () => {
    const runs = fc.array(fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 2 ** 24 })), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(runs, (counts) => {
        const total = counts.reduce((sum, run) => sum + run, 0);
        const rle = { size: [total, 1] as const, counts };
        expect(mask.toUncompressed(mask.fromUncompressed(rle))).toEqual(rle);
      }),
    );
  });

  it('area and box are those of the pixels', () => {
    fc.assert(
      fc.property(oneMask, ({ height, width, data }) => {
        const rle = mask.encode({ height, width, data });
        const ones = data.flatMap((value, i) => (value ? [[i % width, Math.floor(i / width)] as const] : []));
        expect(mask.area(rle)).toBe(ones.length);
        const [xs, ys] = [ones.map(([x]) => x), ones.map(([, y]) => y)];
        const [x, y] = [Math.min(...xs), Math.min(...ys)];
        const box = [x, y, Math.max(...xs) - x + 1, Math.max(...ys) - y + 1];
        expect(mask.toBbox(rle)).toEqual(ones.length > 0 ? box : [0, 0, 0, 0]);
      }),
    );
  });

  it('IoU is symmetric without crowds, 1 with itself, and the ratio of merged areas', () => {
    fc.assert(
      fc.property(someMasks(2), ([a, b]) => {
        const [left, right] = [a as Rle, b as Rle];
        const iou = mask.iou([left], [right], [0])[0]![0]!;
        expect(mask.iou([right], [left], [0])).toEqual([[iou]]);
        const union = mask.area(mask.merge([left, right]));
        const both = mask.area(mask.merge([left, right], true));
        expect(iou).toBe(both === 0 ? 0 : both / union);
        expect(mask.iou([left], [right], [1])).toEqual([[both === 0 ? 0 : both / mask.area(left)]]);
        expect(mask.iou([left], [left], [0])).toEqual([[mask.area(left) > 0 ? 1 : 0]]);
      }),
    );
  });

  it('areas of union and intersection add up to those of the masks', () => {
    fc.assert(
      fc.property(someMasks(2), ([a, b]) => {
        const masks = [a as Rle, b as Rle];
        const [union, both] = [mask.area(mask.merge(masks)), mask.area(mask.merge(masks, true))];
        expect(union + both).toBe(mask.area(masks[0]!) + mask.area(masks[1]!));
      }),
    );
  });

  it('merging does not depend on the order', () => {
    fc.assert(
      fc.property(someMasks(3), fc.boolean(), (masks, intersect) => {
        expect(mask.merge([...masks].reverse(), intersect)).toEqual(mask.merge(masks, intersect));
      }),
    );
  });

  it('polygons fill exactly their image and the union of their parts', () => {
    fc.assert(
      fc.property(polygons, size, (parts, [height, width]) => {
        const rles = mask.fromPolygons(parts, height, width);
        for (const rle of rles) {
          const { counts } = mask.toUncompressed(rle);
          expect(counts.reduce((sum, run) => sum + run, 0)).toBe(height * width);
          expect(counts.slice(1).every((run) => run > 0)).toBe(true);
        }
        expect(mask.fromSegmentation(parts, height, width)).toEqual(mask.merge(rles));
      }),
    );
  });

  it('the crossings of a polygon are those of a walk along its fine outline', () => {
    fc.assert(
      fc.property(polygons, size, ([polygon], [height, width]) => {
        const rle = mask.fromPolygons([polygon as number[]], height, width)[0]!;
        expect(mask.toUncompressed(rle).counts).toEqual(walkOutline(polygon as number[], height, width));
      }),
      { numRuns: 300 },
    );
  });
});

/** The rasterisation as the COCO API words it: every point of the outline at five times the resolution. */
function walkOutline(polygon: number[], height: number, width: number): number[] {
  const points = Array.from({ length: polygon.length >> 1 }, (_, i) => [
    Math.trunc(5 * (polygon[2 * i] as number) + 0.5),
    Math.trunc(5 * (polygon[2 * i + 1] as number) + 0.5),
  ]) as [number, number][];
  const outline = points.flatMap((from, i) => edge(from, points[(i + 1) % points.length] as [number, number]));
  const positions = outline.slice(1).flatMap(([u, v], i) => {
    const [u0, v0] = outline[i] as [number, number];
    const x = (Math.min(u, u0) + 0.5) / 5 - 0.5;
    if (u === u0 || !Number.isInteger(x) || x < 0 || x > width - 1) return [];
    const y = (Math.min(v, v0) + 0.5) / 5 - 0.5;
    return [x * height + Math.ceil(Math.min(Math.max(y, 0), height))];
  });
  const toggles = [...positions, height * width].sort((a, b) => a - b);
  const pixels = new Uint8Array(height * width);
  for (let i = 0; i + 1 < toggles.length; i += 2) pixels.fill(1, toggles[i], toggles[i + 1]);
  return mask.toUncompressed(mask.encode({ height, width, data: pixels, order: 'column-major' })).counts as number[];
}

function edge([x0, y0]: [number, number], [x1, y1]: [number, number]): [number, number][] {
  const [dx, dy] = [Math.abs(x1 - x0), Math.abs(y1 - y0)];
  const wide = dx >= dy;
  const flip = wide ? x0 > x1 : y0 > y1;
  const [xs, ys, xe, ye] = flip ? [x1, y1, x0, y0] : [x0, y0, x1, y1];
  const slope = wide ? (ye - ys) / dx : (xe - xs) / dy;
  const steps = wide ? dx : dy;
  return Array.from({ length: steps + 1 }, (_, d) => {
    const t = flip ? steps - d : d;
    return wide ? [t + xs, Math.trunc(ys + slope * t + 0.5)] : [Math.trunc(xs + slope * t + 0.5), t + ys];
  });
}
