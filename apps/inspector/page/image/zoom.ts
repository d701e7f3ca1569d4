/** Where an image lies in a pane: fitted at first, then moved and enlarged. */
import type { Placement } from '../draw/draw-objects';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** `scale` 1 fits the image into its pane; `x` and `y` are the point of the image, 0 to 1, that stands in the pane's middle. */
export interface Zoom {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export const FITTED: Zoom = { scale: 1, x: 0.5, y: 0.5 };
const MOST = 40;

export function placementOf({ scale, x, y }: Zoom, image: Size, pane: Size): Placement {
  const enlarged = scale * fit(image, pane);
  return {
    scale: enlarged,
    left: pane.width / 2 - x * image.width * enlarged,
    top: pane.height / 2 - y * image.height * enlarged,
  };
}

/** Enlarges about a point of the pane, which stays where it is; its middle unless told. */
export function zoomed(
  zoom: Zoom,
  factor: number,
  {
    image,
    pane,
    at,
  }: { readonly image: Size; readonly pane: Size; readonly at?: { readonly x: number; readonly y: number } },
): Zoom {
  const scale = Math.min(MOST, Math.max(1, zoom.scale * factor));
  const [px, py] = at === undefined ? [0, 0] : [at.x - pane.width / 2, at.y - pane.height / 2];
  const step = (scale / zoom.scale - 1) / (scale * fit(image, pane));
  return bounded({ scale, x: zoom.x + (px * step) / image.width, y: zoom.y + (py * step) / image.height });
}

/** Moves what is shown by pixels of the pane. */
export function panned(zoom: Zoom, right: number, down: number, image: Size, pane: Size): Zoom {
  const enlarged = zoom.scale * fit(image, pane);
  const [x, y] = [zoom.x - right / (image.width * enlarged), zoom.y - down / (image.height * enlarged)];
  return bounded({ scale: zoom.scale, x, y });
}

/** So many columns that so many images are as large as can be. */
export function columnsOf(count: number, image: Size, area: Size): number {
  const choices = Array.from({ length: count }, (_, i) => i + 1);
  const scaleIn = (columns: number): number =>
    fit(image, { width: area.width / columns, height: area.height / Math.ceil(count / columns) });
  return choices.reduce((best, columns) => (scaleIn(columns) >= scaleIn(best) ? columns : best));
}

const fit = (image: Size, pane: Size): number => Math.min(pane.width / image.width, pane.height / image.height);

/** A fitted image stays in the middle. */
function bounded({ scale, x, y }: Zoom): Zoom {
  const within = (value: number): number => Math.min(1, Math.max(0, value));
  return scale === 1 ? FITTED : { scale, x: within(x), y: within(y) };
}
