/** Boxes, masks and labels on a canvas. */
import { mask } from '@cocoeval/ts';
import type { Rle } from '../../src/protocol';
import { channelsOf, inkOn } from './colours';
import type { Drawable } from './drawables';

/** Where an image lies on a canvas: its pixel (x, y) at `left + scale * x`, `top + scale * y`. */
export interface Placement {
  readonly left: number;
  readonly top: number;
  readonly scale: number;
}

type Context = CanvasRenderingContext2D;

export function drawBoxes(
  pen: Context,
  drawables: readonly Drawable[],
  { left, top, scale }: Placement,
  line: number,
): void {
  for (const { box, colour, isTruth, isMarked } of drawables) {
    const [x, y, width, height] = box.map((side) => side * scale) as [number, number, number, number];
    const place = [left + x, top + y, width, height] as const;
    pen.setLineDash([]);
    // A dark line below: light boxes are seen on light ground too.
    pen.lineWidth = line * (isMarked ? 3 : 1.6);
    pen.strokeStyle = 'rgb(0 0 0 / 0.55)';
    pen.strokeRect(...place);
    pen.lineWidth = line * (isMarked ? 2 : 1);
    pen.strokeStyle = colour;
    pen.setLineDash(isTruth ? [5 * line, 3 * line] : []);
    pen.strokeRect(...place);
  }
  pen.setLineDash([]);
}

/** A label stands above its box, below the picture's upper edge; those that would cover another one are left out. */
export function drawLabels(
  pen: Context,
  drawables: readonly Drawable[],
  { left, top, scale }: Placement,
  size: number,
): void {
  pen.font = `${size}px system-ui, sans-serif`;
  pen.textBaseline = 'middle';
  const taken: (readonly [x: number, y: number, width: number])[] = [];
  const height = Math.ceil(size * 1.35);
  const { width: room, height: depth } = pen.canvas;
  for (const { box, text, colour, isTruth } of drawables) {
    const [right, bottom] = [left + scale * (box[0] + box[2]), top + scale * (box[1] + box[3])];
    if (right < 0 || bottom < 0 || left + scale * box[0] > room || top + scale * box[1] > depth) continue; // out of sight
    const width = pen.measureText(text).width + size * 0.6;
    const x = Math.max(0, Math.min(left + scale * box[0], room - width));
    const above = top + scale * box[1] - height;
    const y = Math.max(0, isTruth ? Math.min(bottom, depth - height) : above);
    const covers = taken.some(([ox, oy, ow]) => x < ox + ow && ox < x + width && Math.abs(y - oy) < height);
    if (covers) continue;
    taken.push([x, y, width]);
    pen.fillStyle = colour;
    pen.fillRect(x, y, width, height);
    pen.fillStyle = inkOn(colour);
    pen.fillText(text, x + size * 0.3, y + height / 2 + 0.5);
  }
}

const MASK_OPACITY = 0.45;

/** All masks in one picture of the image's size. */
export function masksOf(drawables: readonly Drawable[], width: number, height: number): HTMLCanvasElement | undefined {
  const masked = drawables.filter((drawable) => drawable.mask !== undefined);
  if (masked.length === 0) return undefined;
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const pen = canvas.getContext('2d')!;
  const pixels = pen.createImageData(width, height);
  const words = new Uint32Array(pixels.data.buffer);
  for (const { mask: runs, colour } of masked) fillRuns(words, runs!, wordOf(colour), width);
  pen.putImageData(pixels, 0, 0);
  return canvas;
}

/** Runs go down the columns, background first. */
function fillRuns(words: Uint32Array, rle: Rle, word: number, width: number): void {
  const [height] = rle.size;
  let position = 0;
  mask.toUncompressed(rle).counts.forEach((count, i) => {
    const end = position + count;
    if (i % 2 === 0) position = end;
    let [x, y] = [Math.floor(position / height), position % height];
    for (; position < end; position++) {
      words[y * width + x] = word;
      if (++y === height) [x, y] = [x + 1, 0];
    }
  });
}

/** Red, green, blue and opacity as a canvas has them in memory, the lowest byte first. */
function wordOf(colour: string): number {
  const [red, green, blue] = channelsOf(colour);
  return ((Math.round(255 * MASK_OPACITY) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
