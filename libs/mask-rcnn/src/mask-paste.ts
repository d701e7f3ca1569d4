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
  /** A pixel belongs to the mask from this probability on; default 0.5. */
  readonly threshold?: number;
}

/**
 * Samples mask probabilities bilinearly at the centres of the image's pixels, zero outside of the box's grid.
 * @param probabilities side * side values, row by row.
 * @param box `[x1, y1, x2, y2]` in pixels of the image. One without extent gives an empty mask.
 */
export function pasteMask(probabilities: ArrayLike<number>, box: ArrayLike<number>, options: PasteOptions): Bitmap {
  const { height, width } = options;
  const data = new Uint8Array(height * width);
  forEachPixel(probabilities, box, options, (x, y) => (data[y * width + x] = 1));
  return { height, width, data };
}

/**
 * The same mask as COCO's runs: lengths in column-major order of what is not in the mask, what is, and so on.
 */
export function pasteMaskRuns(
  probabilities: ArrayLike<number>,
  box: ArrayLike<number>,
  options: PasteOptions,
): number[] {
  const { height, width } = options;
  const runs: number[] = [];
  let end = 0;
  forEachPixel(probabilities, box, options, (x, y) => {
    const pixel = x * height + y;
    if (pixel > end || runs.length === 0) runs.push(pixel - end, 0);
    runs[runs.length - 1]!++;
    end = pixel + 1;
  });
  if (end < height * width) runs.push(height * width - end);
  return runs;
}

/** Visits the pixels of a mask, column by column. */
function forEachPixel(
  probabilities: ArrayLike<number>,
  box: ArrayLike<number>,
  { height, width, threshold = 0.5 }: PasteOptions,
  visit: (x: number, y: number) => void,
): void {
  const side = Math.sqrt(probabilities.length);
  const [x1, y1, x2, y2] = Array.from(box, Math.fround) as [number, number, number, number];
  if (!(x2 > x1 && y2 > y1)) return;
  const rows = sampleAxis(y1, y2, height, side);
  // The grid at a column of pixels, with an empty cell before and after it.
  const cells = new Float64Array(side + 2);
  const cell = (row: number, column: number): number =>
    column >= 0 && column < side ? probabilities[row * side + column]! : 0;
  for (const { pixel: x, low: left, share: across } of sampleAxis(x1, x2, width, side)) {
    for (let row = 0; row < side; row++) {
      cells[row + 1] = cell(row, left) * (1 - across) + cell(row, left + 1) * across;
    }
    for (const { pixel: y, low: top, share: down } of rows) {
      if (cells[top + 1]! * (1 - down) + cells[top + 2]! * down >= threshold) visit(x, y);
    }
  }
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
