/** Errors near edges, where classes meet and labels themselves are vague (boundary trimaps, Kohli et al. 2009). */

/** Pixels of a map. */
export interface EdgeErrors {
  /** Those that count. */
  readonly pixels: number;
  readonly wrong: number;
  /** Wrong ones within `edgeWidth` pixels of a place where the label changes. */
  readonly wrongAtEdges: number;
}

export interface EdgeOptions {
  /** The size of the map. */
  readonly size: { readonly width: number; readonly height: number };
  /** How far from an edge, along rows and columns. */
  readonly edgeWidth: number;
  /** Label value that does not count; default 255. */
  readonly ignoreIndex?: number;
}

/**
 * Counts the wrong pixels of a map, and those of them that lie at edges.
 * @param prediction [height * width] classes, row by row.
 * @param label of the same pixels.
 */
export function edgeErrors(prediction: Uint8Array, label: Uint8Array, options: EdgeOptions): EdgeErrors {
  const { size, edgeWidth, ignoreIndex = 255 } = options;
  const isNear = widened(edges(label, size), size, edgeWidth);
  let [pixels, wrong, wrongAtEdges] = [0, 0, 0];
  for (let i = 0; i < label.length; i++) {
    if (label[i] === ignoreIndex) continue;
    pixels++;
    if (prediction[i] === label[i]) continue;
    wrong++;
    wrongAtEdges += isNear[i]!;
  }
  return { pixels, wrong, wrongAtEdges };
}

/** 1 where the pixel to the right or below has another label. */
function edges(label: Uint8Array, { width, height }: EdgeOptions['size']): Uint8Array {
  const found = new Uint8Array(label.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const differs = (other: number): boolean => label[other] !== label[i];
      if ((x + 1 < width && differs(i + 1)) || (y + 1 < height && differs(i + width))) found[i] = 1;
    }
  }
  return found;
}

/** 1 within a distance of what is marked: first along rows, then along columns. */
function widened(marked: Uint8Array, { width, height }: EdgeOptions['size'], distance: number): Uint8Array {
  const along = new Uint8Array(marked.length);
  const both = new Uint8Array(marked.length);
  for (let y = 0; y < height; y++) widenLine(marked, along, { start: y * width, step: 1, count: width, distance });
  for (let x = 0; x < width; x++) widenLine(along, both, { start: x, step: width, count: height, distance });
  return both;
}

interface Line {
  readonly start: number;
  readonly step: number;
  readonly count: number;
  readonly distance: number;
}

/** Takes the same time whatever the distance: the last marked place is remembered, forwards and backwards. */
function widenLine(from: Uint8Array, to: Uint8Array, { start, step, count, distance }: Line): void {
  for (let i = 0, last = -Infinity; i < count; i++) {
    if (from[start + i * step] === 1) last = i;
    if (i - last <= distance) to[start + i * step] = 1;
  }
  for (let i = count - 1, last = Infinity; i >= 0; i--) {
    if (from[start + i * step] === 1) last = i;
    if (last - i <= distance) to[start + i * step] = 1;
  }
}
