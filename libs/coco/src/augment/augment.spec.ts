/** Augmentation against bitmaps: what a mask says is what the image shows, and boxes end where masks end. */
import { mask, type Polygons } from '@cocoeval/ts';
import { blankImage, type Rgb, type RgbImage, type Size } from '@pyramidal/images';
import { Random } from '@pyramidal/random';
import fc from 'fast-check';
import { augmentScene, type SceneOptions } from './augment';
import { copyPaste } from './copy-paste';
import { mosaic } from './mosaic';
import { boundsOfRegion, cutRegion, drawRegion, type RegionMask, subtractRegion } from './region-mask';
import { rotateScene } from './rotate';
import { maskOf, type Scene, type SceneObject } from './scene';

const BLACK: Rgb = [0, 0, 0];

/** Row by row over a whole image. */
function bitmapOf(region: RegionMask | undefined, { width, height }: Size): Uint8Array {
  const data = new Uint8Array(width * height);
  if (region === undefined) return data;
  for (let y = 0; y < region.height; y++) {
    for (let x = 0; x < region.width; x++) {
      const [column, row] = [region.x + x, region.y + y];
      const isInside = column >= 0 && column < width && row >= 0 && row < height;
      if (region.data[y * region.width + x] === 1 && isInside) data[row * width + column] = 1;
    }
  }
  return data;
}

const drawWhole = (polygons: Polygons, { width, height }: Size): Uint8Array =>
  mask.decode(mask.merge(mask.fromPolygons(polygons, height, width))).data;

function object(id: number, polygon: readonly number[], as: 'polygons' | 'runs' | 'box', size: Size): SceneObject {
  const [xs, ys] = [0, 1].map((axis) => polygon.filter((_, i) => i % 2 === axis)) as [number[], number[]];
  const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] as const;
  const runs = mask.merge(mask.fromPolygons([polygon], size.height, size.width));
  return { id, label: id % 3, box, segmentation: { polygons: [polygon], runs, box: undefined }[as] };
}

/** A grey picture on which each object is drawn in a colour of its own: its id is the red of its pixels. */
function sceneOf(size: Size, objects: readonly SceneObject[], background: Rgb = BLACK): Scene {
  const image = blankImage(size, background);
  for (const { id, ...rest } of objects) {
    bitmapOf(maskOf(rest), size).forEach((covers, i) => {
      if (covers) image.data.set([id, 0, 0], 3 * i);
    });
  }
  return { image, objects, crowds: [] };
}

/** Where the picture shows an object's colour. */
const shownIn = ({ data, width, height }: RgbImage, id: number): Uint8Array =>
  Uint8Array.from({ length: width * height }, (_, i) => Number(data[3 * i] === id));

function overlap(a: Uint8Array, b: Uint8Array): number {
  let [both, either] = [0, 0];
  a.forEach((value, i) => {
    both += value & b[i]!;
    either += value | b[i]!;
  });
  return both / either;
}

const star = (x: number, y: number, r: number): number[] =>
  Array.from({ length: 10 }, (_, i) => {
    const [radius, angle] = [i % 2 === 0 ? r : r * 0.5, (i * Math.PI) / 5];
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
  }).flat();

describe('masks over a region', () => {
  const size = { width: 24, height: 17 };
  const polygonFrom = (least: number): fc.Arbitrary<number[]> =>
    fc
      .array(fc.tuple(fc.integer({ min: least, max: 300 }), fc.integer({ min: least, max: 230 })), {
        minLength: 3,
        maxLength: 6,
      })
      .map((points) => points.flat().map((value) => value / 10));
  const polygon = polygonFrom(0);
  const window = fc
    .tuple(fc.nat(20), fc.nat(13), fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 17 }))
    .map(([x, y, width, height]) => ({ x, y, width, height }));

  it('are drawn, cut and hidden as bitmaps of the whole image', () => {
    fc.assert(
      fc.property(polygon, polygon, window, (behind, front, rect) => {
        const [a, b] = [behind, front].map((points) => drawRegion([points])) as [RegionMask, RegionMask];
        const [whole, hiding] = [behind, front].map((points) => drawWhole([points], size)) as [Uint8Array, Uint8Array];
        expect(bitmapOf(a, size)).toEqual(whole);
        const isIn = (i: number): boolean => {
          const [x, y] = [i % size.width, Math.floor(i / size.width)];
          return x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height;
        };
        expect(bitmapOf(cutRegion(a, rect), size)).toEqual(whole.map((value, i) => (isIn(i) ? value : 0)));
        expect(bitmapOf(subtractRegion(a, b), size)).toEqual(whole.map((value, i) => (hiding[i] ? 0 : value)));
      }),
      { numRuns: 500 },
    );
  });

  it('are those of the whole image beyond its left and upper edge too, but for a point between two fifths', () => {
    fc.assert(
      fc.property(polygonFrom(-60), (points) => {
        const whole = drawWhole([points], size);
        const differing = bitmapOf(drawRegion([points]), size).filter((value, i) => value !== whole[i]);
        expect(differing.length).toBeLessThanOrEqual(2);
      }),
      { numRuns: 500 },
    );
  });
});

describe('copyPaste', () => {
  const size = { width: 64, height: 48 };
  const options = { probability: 1, scale: [1, 1] } as const;
  const square = (id: number, x: number, y: number, side: number, as: 'polygons' | 'runs' | 'box' = 'polygons') =>
    object(id, [x, y, x + side, y, x + side, y + side, x, y + side], as, size);

  it('shows exactly what the masks say, whatever lies behind', () => {
    for (let seed = 0; seed < 40; seed++) {
      const random = new Random([seed]);
      const own = [object(10, star(20, 20, 14), 'polygons', size), object(11, star(45, 28, 15), 'runs', size)];
      const others = [object(200, star(25, 24, 16), 'runs', size), object(201, star(50, 15, 10), 'polygons', size)];
      const { image, objects, crowds } = copyPaste(sceneOf(size, own), sceneOf(size, others), options, 0.25, random);
      for (const found of [...objects, ...crowds]) {
        const shown = shownIn(image, found.id);
        // What shows of an own object below another own one is the other's: the picture was painted so.
        const region = maskOf(found)!;
        if (found.id !== 10) expect(bitmapOf(region, size)).toEqual(shown);
        const [x1, y1, x2, y2] = boundsOfRegion(region)!;
        found.box.forEach((edge, i) => expect(Math.abs(edge - [x1, y1, x2, y2][i]!)).toBeLessThan(1.5));
      }
      const hidden = own.filter(({ id }) => ![...objects, ...crowds].some((found) => found.id === id));
      for (const { id } of hidden) expect(shownIn(image, id).includes(1)).toBe(false);
    }
  });

  it('counts an object of which too little is left as a crowd, and drops one that is gone', () => {
    const own = [square(1, 0, 0, 10), square(2, 20, 0, 10), square(3, 40, 0, 8), square(4, 20, 30, 10, 'box')];
    // The other image is as large, and lies where this one lies.
    const others = [square(100, 0, 0, 9), square(101, 25, 0, 15), square(102, 39, 0, 12), square(103, 18, 28, 14)];
    const tried = Array.from({ length: 200 }, (_, seed) =>
      copyPaste(sceneOf(size, own), sceneOf(size, others), options, 0.25, new Random([seed])),
    );
    const whole = tried.find(({ objects }) => [100, 101, 102, 103].every((id) => objects.some((found) => found.id === id && found.box[0] === others[id - 100]!.box[0]))); // prettier-ignore
    const of = (list: readonly SceneObject[]) => list.filter(({ id }) => id < 10).map(({ id, box }) => [id, box]);
    expect(of(whole!.objects)).toEqual([[2, [20, 0, 25, 10]]]);
    expect(of(whole!.crowds)).toEqual([[1, [0, 0, 10, 10]]]);
  });

  it('pastes no objects without masks and no crowds, and keeps the crowds that are there', () => {
    const scene = { ...sceneOf(size, []), crowds: [square(7, 1, 1, 5)] };
    const other = { ...sceneOf(size, [square(8, 1, 1, 5, 'box')]), crowds: [square(9, 1, 1, 5)] };
    for (let seed = 0; seed < 10; seed++)
      expect(copyPaste(scene, other, options, 0.25, new Random([seed]))).toBe(scene);
  });
});

describe('mosaic', () => {
  const size = { width: 120, height: 90 };
  const scenes = (
    [
      ['polygons', 120, 90],
      ['runs', 80, 100],
      ['polygons', 200, 60],
      ['runs', 60, 60],
    ] as const
  ).map(([as, width, height], i) =>
    // prettier-ignore
    sceneOf({ width, height }, [
      object(60 * i + 50, star(width * 0.35, height * 0.5, Math.min(width, height) * 0.3), as, { width, height }),
      object(60 * i + 70, star(width * 0.87, height * 0.4, Math.min(width, height) * 0.12), as, { width, height }),
    ]),
  );

  it('moves boxes and masks with the pixels, each within its quarter', () => {
    let compared = 0;
    for (let seed = 0; seed < 12; seed++) {
      const { image, objects } = mosaic(scenes[0]!, scenes.slice(1), 0.25, new Random([seed]));
      expect([image.width, image.height]).toEqual([size.width, size.height]);
      const covered = new Uint8Array(size.width * size.height);
      for (const found of objects) {
        const region = maskOf(found)!;
        const bitmap = bitmapOf(region, size);
        bitmap.forEach((value, i) => (covered[i]! += value));
        const [x1, y1, x2, y2] = boundsOfRegion(region)!;
        found.box.forEach((edge, i) => expect(Math.abs(edge - [x1, y1, x2, y2][i]!)).toBeLessThan(2));
        // Colours blend at the rim; within, they are the object's own.
        const shown = Uint8Array.from({ length: bitmap.length }, (_, i) =>
          Number(Math.abs(image.data[3 * i]! - found.id) < found.id / 2),
        );
        const within = bitmap.map((value, i) => (value === 1 ? 1 : shown[i]! & Number(isIn(region, i, size.width))));
        if (bitmap.reduce((sum, value) => sum + value, 0) < 150) continue;
        compared++;
        expect(overlap(within.map((value, i) => value & shown[i]!), bitmap)).toBeGreaterThan(0.85); // prettier-ignore
      }
      expect(Math.max(...covered)).toBe(1);
    }
    expect(compared).toBeGreaterThan(30);
  });

  it('cuts boxes without masks and crowds at the quarters', () => {
    const bare = scenes.map(({ image }) => {
      const box = [5, 5, image.width - 5, image.height - 5] as const;
      const whole = { id: 1, label: 0, box, segmentation: undefined };
      return { image, objects: [whole], crowds: [{ ...whole, id: 2 }] };
    });
    const { objects, crowds } = mosaic(bare[0]!, bare.slice(1), 0.1, new Random([1]));
    expect([objects.length, crowds.length]).toEqual([4, 4]);
    const boxes = objects.map(({ box }) => box);
    const area = boxes.reduce((sum, [x1, y1, x2, y2]) => sum + (x2 - x1) * (y2 - y1), 0);
    expect(area).toBeLessThanOrEqual(size.width * size.height);
    const right = boxes.find(([x1, y1]) => x1 > 0 && y1 < 20);
    expect(right![2]).toBeLessThanOrEqual(size.width);
  });
});

const isIn = ({ x, y, width, height }: RegionMask, i: number, stride: number): boolean => {
  const [column, row] = [i % stride, Math.floor(i / stride)];
  return column >= x && column < x + width && row >= y && row < y + height;
};

describe('rotateScene', () => {
  const size = { width: 40, height: 40 };
  const objects = [object(100, star(16, 22, 12), 'polygons', size), object(200, star(31, 10, 8), 'runs', size)];

  it('changes nothing at 0 degrees', () => {
    const scene = sceneOf(size, objects);
    const turned = rotateScene(scene, 0, BLACK, 0.25);
    expect(turned.image.data).toEqual(scene.image.data);
    turned.objects.forEach((found, i) => expect(bitmapOf(maskOf(found), size)).toEqual(bitmapOf(maskOf(objects[i]!), size))); // prettier-ignore
  });

  it('turns runs by 90 degrees pixel by pixel, counterclockwise', () => {
    const turned = rotateScene(sceneOf(size, [objects[1]!]), 90, BLACK, 0.25);
    const before = bitmapOf(maskOf(objects[1]!), size);
    const expected = Uint8Array.from(before, (_, i) => before[(i % 40) * 40 + (39 - Math.floor(i / 40))]!);
    expect(bitmapOf(maskOf(turned.objects[0]!), size)).toEqual(expected);
    expect(shownIn(turned.image, 200)).toEqual(expected);
    expect(turned.objects[0]!.box).toEqual(boundsOfRegion(maskOf(turned.objects[0]!)!));
  });

  it('moves masks with the pixels at any angle, and cuts what leaves the image', () => {
    for (const [degrees, alone] of [-30, -10, 3, 12, 25].flatMap((turn) =>
      objects.map((own) => [turn, own] as const),
    )) {
      const { image, objects: turned } = rotateScene(sceneOf(size, [alone]), degrees, BLACK, 0.1);
      expect(turned).toHaveLength(1);
      const [{ box, ...found }] = turned as readonly [SceneObject];
      const bitmap = bitmapOf(maskOf(found), size);
      const shown = Uint8Array.from(bitmap, (_, i) => Number(image.data[3 * i]! > alone.id / 2));
      expect(overlap(bitmap, shown)).toBeGreaterThan(0.9);
      const [x1, y1, x2, y2] = boundsOfRegion(maskOf(found)!)!;
      box.forEach((edge, i) => expect(Math.abs(edge - [x1, y1, x2, y2][i]!)).toBeLessThan(1.5));
      expect([Math.min(...box) >= 0, Math.max(...box) <= 40]).toEqual([true, true]);
    }
  });

  it('puts a box around a turned box where there is no mask', () => {
    const bare = { ...sceneOf(size, []), objects: [object(5, [10, 10, 30, 10, 30, 30, 10, 30], 'box', size)] };
    const [found] = rotateScene(bare, 45, BLACK, 0.1).objects;
    const half = 10 * Math.SQRT2;
    [20 - half, 20 - half, 20 + half, 20 + half].forEach((edge, i) => expect(found!.box[i]).toBeCloseTo(edge, 9));
  });
});

describe('augmentScene', () => {
  const size = { width: 40, height: 30 };
  const scene = sceneOf(size, [object(100, star(16, 15, 10), 'polygons', size)], [60, 60, 60]);
  const open = () => Promise.resolve(scene);
  const all: SceneOptions = {
    mosaic: 1,
    rotate: 10,
    photometric: true,
    copyPaste: { probability: 1, scale: [0.5, 1.5] },
  };

  it('is off by default', async () => {
    expect(await augmentScene(scene, {}, () => Promise.reject(new Error('read')), BLACK, [1])).toBe(scene);
  });

  it('draws the same for a seed and something else for another', async () => {
    const draw = (seed: number) => augmentScene(scene, all, open, BLACK, [seed]);
    expect(await draw(1)).toEqual(await draw(1));
    expect(await draw(1)).not.toEqual(await draw(2));
  });
});
