/** MMSegmentation's `PhotoMetricDistortion`. */
import type { RgbImage } from '../rgb-image';

/** Where random numbers come from; `Random` is one such. */
export interface Draws {
  /** A whole number in [0, count). */
  integer(count: number): number;
  /** Uniform in [low, high). */
  uniform(low: number, high: number): number;
}

const BRIGHTNESS = 32;
const FACTORS = [0.5, 1.5] as const;
/** In OpenCV's half degrees. */
const HUE = 18;

/**
 * MMSegmentation's `PhotoMetricDistortion`: brightness, contrast, saturation and hue, each with a probability of one
 * half, contrast before or after the two others; in OpenCV's 8-bit arithmetic, with the draws in the same order.
 */
export function distortColours(image: RgbImage, draws: Draws): RgbImage {
  const data = image.data.slice();
  const chance = (): boolean => draws.integer(2) === 1;
  const contrast = (): void => {
    if (chance()) applyTable(data, linearTable(draws.uniform(...FACTORS), 0));
  };
  if (chance()) applyTable(data, linearTable(1, draws.uniform(-BRIGHTNESS, BRIGHTNESS)));
  const contrastFirst = chance();
  if (contrastFirst) contrast();
  if (chance()) {
    const table = linearTable(draws.uniform(...FACTORS), 0);
    changeHsv(data, (hsv) => (hsv[1] = table[hsv[1]!]!));
  }
  if (chance()) {
    const shift = draws.integer(2 * HUE) - HUE;
    changeHsv(data, (hsv) => (hsv[0] = (hsv[0]! + shift + 180) % 180));
  }
  if (!contrastFirst) contrast();
  return { ...image, data };
}

/** `value * factor + offset` in single precision, clipped and cut to a whole number. */
function linearTable(factor: number, offset: number): Uint8Array {
  const [f, o] = [Math.fround(factor), Math.fround(offset)];
  return Uint8Array.from({ length: 256 }, (_, value) => {
    return Math.trunc(Math.min(255, Math.max(0, Math.fround(Math.fround(value * f) + o))));
  });
}

function applyTable(data: Uint8Array, table: Uint8Array): void {
  for (let i = 0; i < data.length; i++) data[i] = table[data[i]!]!;
}

/** Takes every pixel to HSV (hue in half degrees) and back. */
function changeHsv(data: Uint8Array, change: (hsv: Uint8Array) => void): void {
  const hsv = new Uint8Array(3);
  for (let i = 0; i < data.length; i += 3) {
    toHsv(data, i, hsv);
    change(hsv);
    fromHsv(hsv, data, i);
  }
}

/** `255 / v` and `30 / difference` as OpenCV holds them: in 12 fractional bits. */
const FRACTION = 12;
const HALF = 1 << (FRACTION - 1);
const SATURATIONS = Int32Array.from({ length: 256 }, (_, v) => (v === 0 ? 0 : Math.round((255 << FRACTION) / v)));
const HUES = Int32Array.from({ length: 256 }, (_, d) => (d === 0 ? 0 : Math.round((180 << FRACTION) / (6 * d))));

function toHsv(data: Uint8Array, at: number, hsv: Uint8Array): void {
  const [r, g, b] = [data[at]!, data[at + 1]!, data[at + 2]!];
  const value = Math.max(r, g, b);
  const difference = value - Math.min(r, g, b);
  const sector = value === r ? g - b : value === g ? b - r + 2 * difference : r - g + 4 * difference;
  const hue = (sector * HUES[difference]! + HALF) >> FRACTION;
  hsv[0] = hue < 0 ? hue + 180 : hue;
  hsv[1] = (difference * SATURATIONS[value]! + HALF) >> FRACTION;
  hsv[2] = value;
}

/** Which of (v, v (1 - s), v (1 - s f), v (1 - s (1 - f))) red, green and blue are, in each sixth of the circle. */
const SECTORS = [
  [0, 3, 1],
  [2, 0, 1],
  [1, 0, 3],
  [1, 2, 0],
  [3, 1, 0],
  [0, 1, 2],
] as const;

function fromHsv([hue, saturation, value]: Uint8Array, data: Uint8Array, at: number): void {
  const { fround } = Math;
  const h = fround(hue! * fround(6 / 180));
  const s = fround(saturation! * fround(1 / 255));
  const v = fround(value! * fround(1 / 255));
  const sector = Math.floor(h);
  const f = fround(h - sector);
  const levels = [
    v,
    fround(v * fround(1 - s)),
    fround(v * fround(1 - fround(s * f))),
    fround(v * fround(1 - fround(s * fround(1 - f)))),
  ];
  SECTORS[sector % 6]!.forEach((level, channel) => (data[at + channel] = Math.round(fround(levels[level]! * 255))));
}
