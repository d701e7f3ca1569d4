import type { RgbImage } from '../rgb-image';
import { resizeAndCentreCrop } from './centre-crop';

/** Red grows with x, green with y, both from 0 to 255: a crop can be told from its corners. */
const ramp = (width: number, height: number): RgbImage => ({
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return [(x / (width - 1)) * 255, (y / (height - 1)) * 255, 100][i % 3]!;
  }),
});

describe('resizeAndCentreCrop', () => {
  it.each([
    [300, 200],
    [200, 300],
    [50, 40],
  ])('cuts the centre of a %dx%d picture', (width, height) => {
    const { data, ...size } = resizeAndCentreCrop(ramp(width, height), { size: 64, cropPct: 0.875 });
    expect(size).toEqual({ width: 64, height: 64 });
    const [first, last] = [data.subarray(0, 2), data.subarray((64 * 64 - 1) * 3, (64 * 64 - 1) * 3 + 2)];
    for (const axis of [0, 1]) expect(Math.abs(first[axis]! + last[axis]! - 255)).toBeLessThanOrEqual(4);
    const shorter = width < height ? 0 : 1;
    expect((last[shorter]! - first[shorter]!) / 255).toBeCloseTo(0.875, 1);
  });
});
