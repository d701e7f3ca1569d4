/** The size at which pictures are drawn on. */
import type { Size } from '../rgb-image';

/** Photos of 12 megapixels, which most phones take, keep their size. */
const KEPT_PIXELS = 12_500_000;

/** Of larger ones: drawing needs some ten times their number in bytes, and their decoding has needed more already. */
const MAX_PIXELS = 4_000_000;

/** Longest side: drawings are laid over a picture by a renderer that has no longer ones. */
const MAX_SIDE = 16_384;

/** The size of a picture itself, or a smaller one of its shape that is within the limits. */
export function drawnSize({ width, height }: Size): Size {
  const pixels = width * height;
  const shrink = pixels <= KEPT_PIXELS ? 1 : Math.sqrt(MAX_PIXELS / pixels);
  const factor = Math.min(shrink, MAX_SIDE / Math.max(width, height));
  return { width: shorten(width, factor), height: shorten(height, factor) };
}

const shorten = (side: number, factor: number): number => Math.max(1, Math.floor(side * factor));
