/** The size at which pictures are drawn on. */
import type { Size } from '../rgb-image';

/** Drawing needs some ten times their number in bytes; photos of 12 megapixels, which most phones take, keep their size. */
const MAX_PIXELS = 12_500_000;

/** Longest side: drawings are laid over a picture by a renderer that has no longer ones. */
const MAX_SIDE = 16_384;

/** The size of a picture itself, or the largest one of its shape that is within both limits. */
export function drawnSize({ width, height }: Size): Size {
  const factor = Math.min(1, Math.sqrt(MAX_PIXELS / (width * height)), MAX_SIDE / Math.max(width, height));
  return { width: shorten(width, factor), height: shorten(height, factor) };
}

const shorten = (side: number, factor: number): number => Math.max(1, Math.floor(side * factor));
