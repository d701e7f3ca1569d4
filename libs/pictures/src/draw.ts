/** Boxes, labels and masks on a picture. */
import sharp from 'sharp';
import type { Rgb, RgbImage, Size } from '@pyramidal/images';
import { svgText, textWidth } from './glyphs';

/** Colours that tell neighbours apart, on photos and on white. */
export const PALETTE: readonly Rgb[] = [
  [37, 99, 235],
  [220, 38, 38],
  [5, 150, 105],
  [217, 119, 6],
  [124, 58, 237],
  [8, 145, 178],
  [219, 39, 119],
  [101, 163, 13],
];

/** A box, a label, or a labelled box on a picture, in its pixels. */
export interface Annotation {
  /** The label stands at its top left corner; without a box, in the picture's. */
  readonly box?: readonly [x1: number, y1: number, x2: number, y2: number];
  /** May have several lines. */
  readonly label?: string;
  readonly colour: Rgb;
}

/** Draws boxes and labels on the picture itself, and returns it; line width and text grow with the picture. */
export async function drawAnnotations(image: RgbImage, annotations: readonly Annotation[]): Promise<RgbImage> {
  const unit = Math.max(1, Math.min(image.width, image.height) / 320);
  const boxes = annotations.map(({ box, colour }) => (box ? svgBox(box, css(colour), 2 * unit) : ''));
  const labels = annotations.map(({ box, label, colour }) =>
    label ? svgLabel(label, box ?? [0, 0], css(colour), 7 * unit, image) : '',
  );
  return composeSvg(image, [...boxes, ...labels].join(''));
}

/** Tints the pixels of the image itself where the mask is not 0: many masks need no copies. */
export function tintMask(image: RgbImage, mask: Uint8Array, colour: Rgb, opacity = 0.5): void {
  if (mask.length !== image.width * image.height) {
    throw new RangeError(`tintMask: expected a mask of ${image.width}x${image.height} values, received ${mask.length}`);
  }
  const { data } = image;
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] === 0) continue;
    for (let c = 0; c < 3; c++) data[3 * i + c] = Math.round(data[3 * i + c]! * (1 - opacity) + colour[c]! * opacity);
  }
}

/** Pixels that are rendered at a time, which takes several times their bytes. */
const STRIP = 2_000_000;

/** Renders SVG elements over a picture, strip by strip on the picture itself, and returns it. */
export async function composeSvg(image: RgbImage, elements: string): Promise<RgbImage> {
  const { data, width, height } = image;
  const rows = Math.max(1, Math.floor(STRIP / width));
  for (let top = 0; top < height; top += rows) {
    const [from, to] = [3 * width * top, 3 * width * Math.min(top + rows, height)];
    data.set(await composeStrip(data.subarray(from, to), { width, top, elements }), from);
  }
  return image;
}

function composeStrip(
  pixels: Uint8Array,
  { width, top, elements }: { readonly width: number; readonly top: number; readonly elements: string },
): Promise<Uint8Array> {
  const height = pixels.length / (3 * width);
  const view = `width="${width}" height="${height}" viewBox="0 ${top} ${width} ${height}"`;
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .composite([{ input: Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" ${view}>${elements}</svg>`) }])
    .removeAlpha()
    .raw()
    .toBuffer();
}

export const css = (colour: Rgb) => `rgb(${colour.join()})`;

function svgBox([x1, y1, x2, y2]: NonNullable<Annotation['box']>, colour: string, width: number): string {
  const numbers = [x1, y1, Math.max(0, x2 - x1), Math.max(0, y2 - y1)].map((value) => value.toFixed(1));
  const [x, y, w, h] = numbers;
  return `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" stroke="${colour}" stroke-width="${width.toFixed(1)}"/>`;
}

/** Characters of a label's line; names out of files may be of any length. */
const LINE = 80;

/** White text on a plate of the colour, above the point where there is room, and inside the picture. */
function svgLabel(label: string, point: readonly number[], colour: string, size: number, image: Size): string {
  const lines = label.split('\n').map((line) => (line.length > LINE ? `${line.slice(0, LINE)}...` : line));
  const [pad, leading] = [0.5 * size, 1.7 * size];
  const width = Math.max(...lines.map((line) => textWidth(line, size))) + 2 * pad;
  const height = lines.length * leading + 0.4 * size;
  const above = point[1]! - height;
  const x = Math.max(0, Math.min(point[0]!, image.width - width));
  const y = Math.max(0, above >= 0 ? above : Math.min(point[1]!, image.height - height));
  const plate = `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${colour}" fill-opacity="0.85"/>`;
  const texts = lines.map((line, i) =>
    svgText(line, { x: x + pad, y: y + (i + 1) * leading - 0.25 * size, size, colour: 'white' }),
  );
  return plate + texts.join('');
}
