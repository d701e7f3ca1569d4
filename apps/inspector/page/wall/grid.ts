/** Where tiles stand in a wall that is scrolled: rows of equal height, columns of equal width. */

export interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly tileWidth: number;
  readonly rowHeight: number;
}

const LEAST_TILE = 200;
/** Of a tile's picture, width over height. */
const SHAPE = 4 / 3;
/** Pixels of the caption, and of the gaps. */
const CAPTION = 26;
export const GAP = 10;

export function gridOf(width: number, images: number): Grid {
  const columns = Math.max(1, Math.floor((width + GAP) / (LEAST_TILE + GAP)));
  const tileWidth = Math.floor((width - GAP * (columns - 1)) / columns);
  const rowHeight = Math.round(tileWidth / SHAPE) + CAPTION + GAP;
  return { columns, rows: Math.ceil(images / columns), tileWidth, rowHeight };
}

/** Places of the tiles to be seen, and of a few rows above and below, from the first to before the last. */
export function shownRange(
  { columns, rowHeight }: Grid,
  { top, height, images }: { readonly top: number; readonly height: number; readonly images: number },
): readonly [from: number, to: number] {
  const BEYOND = 2;
  const first = Math.max(0, Math.floor(top / rowHeight) - BEYOND);
  const last = Math.ceil((top + height) / rowHeight) + BEYOND;
  return [Math.min(images, first * columns), Math.min(images, last * columns)];
}

/** Where a key leads from a tile; undefined for other keys. */
export function stepTo(key: string, place: number, { columns, images, page }: Steps): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: place - 1,
    ArrowRight: place + 1,
    ArrowUp: place - columns,
    ArrowDown: place + columns,
    PageUp: place - page * columns,
    PageDown: place + page * columns,
    Home: 0,
    End: images - 1,
  };
  const next = steps[key];
  return next === undefined ? undefined : Math.max(0, Math.min(images - 1, next));
}

interface Steps {
  readonly columns: number;
  readonly images: number;
  /** Rows of a screen. */
  readonly page: number;
}
