/** Rows of columns, ordered by image: those of image i are `starts[i]` to `starts[i + 1] - 1`. */

export interface Grouped {
  readonly starts: Uint32Array;
  /** The row of each record in its list; undefined of those that were left out. */
  rowOf(record: number): number | undefined;
}

const LEFT_OUT = 0xffffffff;

/** @param imageOf the image of each record, or undefined to leave it out. */
export function groupByImage(
  images: number,
  records: number,
  imageOf: (record: number) => number | undefined,
): Grouped {
  const starts = new Uint32Array(images + 1);
  const rows = new Uint32Array(records).fill(LEFT_OUT);
  for (let record = 0; record < records; record++) {
    const image = imageOf(record);
    if (image !== undefined) starts[image + 1]!++;
  }
  for (let image = 0; image < images; image++) starts[image + 1]! += starts[image]!;
  const next = starts.slice();
  for (let record = 0; record < records; record++) {
    const image = imageOf(record);
    if (image !== undefined) rows[record] = next[image]!++;
  }
  return { starts, rowOf: (record) => (rows[record] === LEFT_OUT ? undefined : rows[record]) };
}

/** Of an image. */
export const rowsOf = (starts: Uint32Array, image: number): number[] => {
  const first = starts[image]!;
  return Array.from({ length: starts[image + 1]! - first }, (_, i) => first + i);
};
