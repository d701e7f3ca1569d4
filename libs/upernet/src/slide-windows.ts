/** The windows of sliding inference, as MMSegmentation places them (`slide_inference`). */

export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/** A rectangle of the network's input, in pixels. */
export interface SlideWindow extends ImageSize {
  readonly y: number;
  readonly x: number;
}

/**
 * Windows of `crop` every `stride` pixels, row by row; the last ones are moved back inside, and windows larger than the
 * image shrink to it.
 */
export function slideWindows(image: ImageSize, crop: ImageSize, stride: ImageSize): SlideWindow[] {
  const rows = spans(image.height, crop.height, stride.height);
  const columns = spans(image.width, crop.width, stride.width);
  return rows.flatMap(([y, height]) => columns.map(([x, width]): SlideWindow => ({ y, x, height, width })));
}

function spans(size: number, crop: number, stride: number): [start: number, length: number][] {
  const count = Math.floor(Math.max(size - crop + stride - 1, 0) / stride) + 1;
  return Array.from({ length: count }, (_, i) => {
    const end = Math.min(i * stride + crop, size);
    const start = Math.max(end - crop, 0);
    return [start, end - start];
  });
}
