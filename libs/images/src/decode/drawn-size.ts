/** The size at which pictures are drawn on. */
import type { Size } from '../rgb-image';

/** A picture is drawn on, encoded and looked at several times its pixels' bytes; of more than these nobody sees more. */
const MAX_PIXELS = 16_000_000;

/** Longest side: drawings are laid over a picture by a renderer that has no longer ones. */
const MAX_SIDE = 16_384;

/** The size of a picture itself, or the largest one of its shape that is within both limits. */
export function drawnSize({ width, height }: Size): Size {
  const factor = Math.min(1, Math.sqrt(MAX_PIXELS / (width * height)), MAX_SIDE / Math.max(width, height));
  return { width: shorten(width, factor), height: shorten(height, factor) };
}

const shorten = (side: number, factor: number): number => Math.max(1, Math.floor(side * factor));
