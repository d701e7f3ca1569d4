import type { Size } from '@pyramidal/images';
import { Random } from '@pyramidal/random';
import { chooseCanvases, fittingCanvas, tightCanvas } from './canvas';
import type { DetectionSample } from './dataset';
import { drawGeometry, type GeometryOptions } from './geometry';
import { orderByOrientation } from './order';

const sampleOf = ({ width, height }: Size, id: number): DetectionSample => ({
  ...{ id, file: `${id}.jpg`, width, height, objects: [], crowds: [] },
});

/** Sizes as photographs have them: most of 4 to 3 or 3 to 2, some panoramas. */
const SIZES: Size[] = [
  ...Array.from({ length: 60 }, () => ({ width: 640, height: 480 })),
  ...Array.from({ length: 40 }, () => ({ width: 640, height: 427 })),
  ...Array.from({ length: 30 }, () => ({ width: 480, height: 640 })),
  ...Array.from({ length: 10 }, (_, i) => ({ width: 640, height: 250 + 30 * i })),
];
const SAMPLES = SIZES.map(sampleOf);
const ORDER = { batchSize: 2, seed: 5 };
const at = (...sides: number[]): GeometryOptions => ({
  scales: sides.map((shortest) => ({ shortest, longest: 1333 })),
});
const MULTI_SCALE = at(480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800);

/** Batches of an epoch that canvases were not chosen for, as their images' sizes. */
function batchesOf(transform: GeometryOptions): Size[][] {
  const random = new Random([1, 2]);
  const images = orderByOrientation(SAMPLES, ORDER, 99_999).map((image) => drawGeometry(image, transform, random).size);
  return Array.from({ length: images.length / 2 }, (_, i) => images.slice(2 * i, 2 * i + 2));
}

const area = ({ width, height }: Size): number => width * height;
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('chooseCanvases', () => {
  it('pads little more than each batch by itself, with few canvases', () => {
    const canvases = chooseCanvases(SAMPLES, MULTI_SCALE, ORDER);
    expect(canvases.length).toBeLessThanOrEqual(12);
    expect(canvases.every(({ width, height }) => width % 32 === 0 && height % 32 === 0)).toBe(true);
    const batches = batchesOf(MULTI_SCALE);
    const tight = mean(batches.map((batch) => area(tightCanvas(batch))));
    const padded = mean(batches.map((batch) => area(fittingCanvas(batch, canvases, MULTI_SCALE))));
    expect(padded / tight).toBeLessThan(1.15);
    // As much as one canvas for each orientation.
    expect((1344 * 800) / tight).toBeGreaterThan(1.4);
  });

  it('is the same for the same data, whatever batch is loaded first', () => {
    expect(chooseCanvases(SAMPLES, MULTI_SCALE, ORDER)).toEqual(chooseCanvases(SAMPLES, MULTI_SCALE, ORDER));
  });

  it('has one canvas where all images are of one size', () => {
    const alike = SAMPLES.slice(0, 60);
    expect(chooseCanvases(alike, at(128), ORDER)).toEqual([{ width: 192, height: 128 }]);
  });

  it('knows images larger than all that were drawn', () => {
    const canvases = chooseCanvases(SAMPLES.slice(0, 60), MULTI_SCALE, ORDER);
    const wide = { width: 1333, height: 300 };
    expect(fittingCanvas([wide], canvases, MULTI_SCALE)).toEqual({ width: 1344, height: 800 });
    expect(fittingCanvas([{ width: 300, height: 1333 }], canvases, MULTI_SCALE)).toEqual({ width: 800, height: 1344 });
    expect(fittingCanvas([wide, { width: 800, height: 1333 }], canvases, MULTI_SCALE)).toEqual({ width: 1344, height: 1344 }); // prettier-ignore
    const [small] = canvases.map((canvas) => ({ ...canvas })).sort((a, b) => area(a) - area(b));
    expect(fittingCanvas([{ width: 32, height: 32 }], canvases, MULTI_SCALE)).toEqual(small);
  });
});
