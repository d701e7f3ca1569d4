/** Many pictures on one sheet. */
import { blankImage, type RgbImage } from '@pyramidal/images';

const GAP = 4;

/** Pictures of one size beside and below each other on white, row by row, about as many across as down. */
export function contactSheet(pictures: readonly RgbImage[]): RgbImage {
  const { width, height } = pictures[0] ?? { width: 1, height: 1 };
  const columns = Math.max(1, Math.ceil(Math.sqrt(pictures.length)));
  const rows = Math.ceil(pictures.length / columns);
  const sheet = blankImage(
    { width: columns * (width + GAP) - GAP, height: rows * (height + GAP) - GAP },
    [255, 255, 255],
  );
  pictures.forEach((picture, index) => {
    if (picture.width !== width || picture.height !== height) {
      throw new RangeError(
        `contactSheet: expected pictures of ${width}x${height}, received ${picture.width}x${picture.height} at index ${index}`,
      );
    }
    const left = (index % columns) * (width + GAP);
    const top = Math.floor(index / columns) * (height + GAP);
    for (let y = 0; y < height; y++) {
      const row = picture.data.subarray(3 * y * width, 3 * (y + 1) * width);
      sheet.data.set(row, 3 * ((top + y) * sheet.width + left));
    }
  });
  return sheet;
}
