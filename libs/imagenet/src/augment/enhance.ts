/** Pillow's `ImageOps` and `ImageEnhance`. */
import type { RgbImage } from '@pyramidal/images';

/**
 * Pillow's `ImageOps` and `ImageEnhance` on RGB, to the last bit: what RandAugment and colour jitter are made of.
 * A `factor` of 1 leaves the picture as it is; 0 gives black, grey or blur; more than 1 exaggerates.
 */

/** Stretches each channel to the full range. */
export function autoContrast(image: RgbImage): RgbImage {
  return mapChannels(image, (histogram) => {
    const low = histogram.findIndex((count) => count > 0);
    const high = histogram.findLastIndex((count) => count > 0);
    if (high <= low) return identity;
    const scale = 255 / (high - low);
    return (value) => Math.trunc(value * scale - low * scale);
  });
}

/** Makes the histogram of each channel flat. */
export function equalise(image: RgbImage): RgbImage {
  return mapChannels(image, (histogram) => {
    const last = histogram.findLast((count) => count > 0)!;
    const step = Math.floor((image.width * image.height - last) / 255);
    if (step === 0) return identity;
    let below = Math.floor(step / 2);
    const table = Array.from(histogram, (count) => {
      const level = Math.floor(below / step);
      below += count;
      return level;
    });
    return (value) => table[value]!;
  });
}

export const invert = (image: RgbImage) => mapValues(image, (value) => 255 - value);

/** Keeps the highest bits of each value. */
export const posterise = (image: RgbImage, bits: number) => mapValues(image, (value) => value & (0xff << (8 - bits)));

/** Inverts the values from a threshold on. */
export const solarise = (image: RgbImage, threshold: number) =>
  mapValues(image, (value) => (value < threshold ? value : 255 - value));

/** Brightens the darker half. */
export const solariseAdd = (image: RgbImage, add: number) =>
  mapValues(image, (value) => (value < 128 ? value + add : value));

export function brightness(image: RgbImage, factor: number): RgbImage {
  return mapValues(image, (value) => blend(0, value, Math.fround(factor)));
}

/** Away from, or towards, the picture's mean grey. */
export function contrast(image: RgbImage, factor: number): RgbImage {
  const luma = lumaOf(image);
  const mean = Math.trunc(luma.reduce((sum, value) => sum + value, 0) / luma.length + 0.5);
  return mapValues(image, (value) => blend(mean, value, Math.fround(factor)));
}

/** Away from, or towards, each pixel's grey. */
export function saturation(image: RgbImage, factor: number): RgbImage {
  const luma = lumaOf(image);
  return blendWith(image, factor, luma, 3);
}

/** Away from, or towards, the picture smoothed by a 3x3 kernel (5 in the middle, 1 around); its border stays. */
export function sharpness(image: RgbImage, factor: number): RgbImage {
  return blendWith(image, factor, smoothed(image), 1);
}

function smoothed({ data, width, height }: RgbImage): Uint8Array {
  const out = data.slice();
  const stride = width * 3;
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * stride + 3; i < (y + 1) * stride - 3; i++) {
      const above = data[i - stride - 3]! + data[i - stride]! + data[i - stride + 3]!;
      const below = data[i + stride - 3]! + data[i + stride]! + data[i + stride + 3]!;
      const sum = above + data[i - 3]! + 5 * data[i]! + data[i + 3]! + below;
      out[i] = Math.floor((2 * sum + 13) / 26);
    }
  }
  return out;
}

/** ITU-R 601 luma in 16-bit fixed point. */
function lumaOf({ data }: RgbImage): Uint8Array {
  const luma = new Uint8Array(data.length / 3);
  for (let i = 0, from = 0; i < luma.length; i++, from += 3) {
    luma[i] = (19595 * data[from]! + 38470 * data[from + 1]! + 7471 * data[from + 2]! + 0x8000) >> 16;
  }
  return luma;
}

/** @param share values of the picture that share one of `other`. */
function blendWith({ data, width, height }: RgbImage, factor: number, other: Uint8Array, share: number): RgbImage {
  const alpha = Math.fround(factor);
  const out = new Uint8Array(data.length);
  for (let from = 0, i = 0; from < other.length; from++) {
    for (const end = i + share; i < end; i++) out[i] = blend(other[from]!, data[i]!, alpha);
  }
  return { data: out, width, height };
}

/** `Image.blend` of two values, in single precision, cut to a whole number in 0 to 255. */
function blend(from: number, to: number, alpha: number): number {
  const mixed = Math.fround(from + Math.fround(alpha * (to - from)));
  return mixed <= 0 ? 0 : mixed >= 255 ? 255 : Math.trunc(mixed);
}

const identity = (value: number) => value;

function mapValues(image: RgbImage, map: (value: number) => number): RgbImage {
  return mapChannels(image, () => map);
}

/** Sends every value of a channel through a table that may depend on the channel's histogram. */
function mapChannels(image: RgbImage, mapOf: (histogram: Uint32Array) => (value: number) => number): RgbImage {
  const data = new Uint8Array(image.data.length);
  for (let channel = 0; channel < 3; channel++) {
    const histogram = new Uint32Array(256);
    for (let i = channel; i < data.length; i += 3) histogram[image.data[i]!]!++;
    const map = mapOf(histogram);
    const table = Uint8ClampedArray.from({ length: 256 }, (_, value) => map(value));
    for (let i = channel; i < data.length; i += 3) data[i] = table[image.data[i]!]!;
  }
  return { data, width: image.width, height: image.height };
}
