/** Puts a mask of a box's own grid back onto the image. Runs outside of the engine: the result is as large as the image. */

export interface Bitmap {
  readonly height: number;
  readonly width: number;
  /** Row by row, 0 or 1. */
  readonly data: Uint8Array;
}

export interface PasteOptions {
  readonly height: number;
  readonly width: number;
  /** A pixel belongs to the mask from this probability on; 0.5 unless told. */
  readonly threshold?: number;
}

/**
 * Samples mask probabilities bilinearly at the centres of the image's pixels, zero outside of the box's grid.
 * @param probabilities side * side values, row by row.
 * @param box `[x1, y1, x2, y2]` in pixels of the image. One without extent gives an empty mask.
 */
export function pasteMask(probabilities: ArrayLike<number>, box: ArrayLike<number>, options: PasteOptions): Bitmap {
  const { height, width, threshold = 0.5 } = options;
  const data = new Uint8Array(height * width);
  const side = Math.sqrt(probabilities.length);
  const [x1, y1, x2, y2] = Array.from(box, Math.fround) as [number, number, number, number];
  if (!(x2 > x1 && y2 > y1)) return { height, width, data };
  const columns = sampleAxis(x1, x2, width, side);
  const rows = sampleAxis(y1, y2, height, side);
  const cell = (row: number, column: number): number =>
    row >= 0 && row < side && column >= 0 && column < side ? probabilities[row * side + column]! : 0;
  for (const { pixel: y, low: top, share: down } of rows) {
    for (const { pixel: x, low: left, share: across } of columns) {
      const upper = cell(top, left) * (1 - across) + cell(top, left + 1) * across;
      const lower = cell(top + 1, left) * (1 - across) + cell(top + 1, left + 1) * across;
      if (upper * (1 - down) + lower * down >= threshold) data[y * width + x] = 1;
    }
  }
  return { height, width, data };
}

interface Sample {
  readonly pixel: number;
  /** The grid cell before the pixel's centre, from -1 on, and how far the centre is from it. */
  readonly low: number;
  readonly share: number;
}

/** The pixels of an axis whose centres lie on the grid or less than a cell from it. */
function sampleAxis(start: number, end: number, pixels: number, side: number): Sample[] {
  const samples: Sample[] = [];
  const margin = (end - start) / side;
  const last = Math.min(Math.ceil(end + margin), pixels);
  for (let pixel = Math.max(Math.floor(start - margin), 0); pixel < last; pixel++) {
    const place = ((pixel + 0.5 - start) / (end - start)) * side - 0.5;
    const low = Math.floor(place);
    if (low >= -1 && low < side) samples.push({ pixel, low, share: place - low });
  }
  return samples;
}
