/** An 8-bit RGB picture: `data` holds `height * width * 3` bytes, row by row, without padding. */
export interface RgbImage {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A rectangle in whole pixels; `x`, `y` is its top left corner. */
export interface Rect extends Size {
  readonly x: number;
  readonly y: number;
}

export type Rgb = readonly [red: number, green: number, blue: number];

/** A picture of one colour (black unless told). */
export function blankImage({ width, height }: Size, colour: Rgb = [0, 0, 0]): RgbImage {
  const data = new Uint8Array(width * height * 3);
  if (colour.some((value) => value !== 0)) {
    for (let i = 0; i < data.length; i += 3) data.set(colour, i);
  }
  return { data, width, height };
}

/** Copies a rectangle that lies inside the picture. */
export function cropImage(image: RgbImage, rect: Rect): RgbImage {
  const { x, y, width, height } = rect;
  const inside = x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= image.width && y + height <= image.height;
  if (!inside) {
    throw new RangeError(
      `cropImage: expected a rectangle inside ${image.width}x${image.height}, received ${width}x${height} at (${x}, ${y})`,
    );
  }
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const start = ((y + row) * image.width + x) * 3;
    data.set(image.data.subarray(start, start + width * 3), row * width * 3);
  }
  return { data, width, height };
}

/** Mirrors left and right. */
export function flipImage({ data, width, height }: RgbImage): RgbImage {
  const flipped = new Uint8Array(data.length);
  for (let row = 0; row < height; row++) {
    let from = ((row + 1) * width - 1) * 3;
    let to = row * width * 3;
    for (let x = 0; x < width; x++, from -= 3, to += 3) {
      flipped[to] = data[from]!;
      flipped[to + 1] = data[from + 1]!;
      flipped[to + 2] = data[from + 2]!;
    }
  }
  return { data: flipped, width, height };
}

/** Puts the picture on a canvas at (x, y); what does not fit is cut off, what is left over shows `fill`. */
export function padImage(image: RgbImage, canvas: Size, { x = 0, y = 0, fill = [0, 0, 0] as Rgb } = {}): RgbImage {
  const padded = blankImage(canvas, fill);
  const left = Math.max(0, x);
  const right = Math.min(canvas.width, x + image.width);
  if (right <= left) return padded;
  const bottom = Math.min(canvas.height, y + image.height);
  for (let row = Math.max(0, y); row < bottom; row++) {
    const from = ((row - y) * image.width + (left - x)) * 3;
    padded.data.set(image.data.subarray(from, from + (right - left) * 3), (row * canvas.width + left) * 3);
  }
  return padded;
}
