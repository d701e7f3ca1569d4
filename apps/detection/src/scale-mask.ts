/** Masks at the size of a picture that is smaller than its image. */
import { mask, type Rle } from '@cocoeval/ts';
import { nearestIndex, type Size } from '@pyramidal/images';

/**
 * A mask as pixels of another size: each is the nearest one of the mask. Takes the time of its runs and needs no bitmap at its own size.
 * @param pixels to write to, [height * width]; new ones where absent.
 * @returns them, row by row: 1 in the object and 0 outside.
 */
export function scaleMask(
  rle: Rle,
  { width, height }: Size,
  pixels: Uint8Array = new Uint8Array(width * height),
): Uint8Array {
  const { size, counts } = mask.toUncompressed(rle);
  const [rows, columns] = size;
  const first = firstBehind(nearestIndex(rows, height), rows);
  pixels.fill(0);
  let [run, start] = [0, 0]; // the run that reaches into the column, and where it begins
  nearestIndex(columns, width).forEach((column, x) => {
    const [top, bottom] = [column * rows, (column + 1) * rows];
    while (start + counts[run]! <= top) start += counts[run++]!;
    for (let [i, from] = [run, start]; from < bottom; from += counts[i++]!) {
      if (i % 2 === 0) continue; // background
      const end = first[Math.min(from + counts[i]!, bottom) - top]!;
      for (let y = first[Math.max(from, top) - top]!; y < end; y++) pixels[y * width + x] = 1;
    }
  });
  return pixels;
}

/** For each row, and the end of them, the first pixel whose nearest row does not lie before it. */
function firstBehind(nearest: Int32Array, rows: number): Int32Array {
  let y = 0;
  return Int32Array.from({ length: rows + 1 }, (_, row) => {
    while (y < nearest.length && nearest[y]! < row) y++;
    return y;
  });
}
