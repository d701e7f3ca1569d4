/** Boxes, outlines, labels and masks on a picture. */
import sharp from 'sharp';
import type { Rgb, RgbImage, Size } from '@pyramidal/images';
import { type Box, placeLabels } from './label-placement';
import { css, inkOn } from './palette';
import { blend, fillBox, paintText } from './paint';
import { type LegendEntry, addLegend } from './legend';
import { fittingText, textSize, type TextPicture } from './text';

/** A box, outlines, a label, or all of them, on a picture, in its pixels. */
export interface Annotation {
  readonly box?: Box;
  /** Closed, `[x1, y1, x2, y2, ...]` each; drawn in place of the box. */
  readonly outlines?: readonly (readonly number[])[];
  /** Stands beside the box, or without one in a corner of the picture. May have several lines. */
  readonly label?: string;
  readonly colour: Rgb;
}

/**
 * Draws boxes, outlines and labels on the picture itself, and returns it; lines and text grow with the picture. No label covers
 * another or a small object: where there is no room for all, those of the first annotations are left out.
 * @param annotations those that come later lie on top.
 * @param legend stands at the right of the picture returned where labels were left out.
 */
export async function drawAnnotations(
  image: RgbImage,
  annotations: readonly Annotation[],
  legend: readonly LegendEntry[] = [],
): Promise<RgbImage> {
  const shapes = annotations.map((annotation) => svgShapes(annotation, lineWidth(image)));
  const drawn = await composeSvg(image, shapes.join(''));
  const isComplete = await drawLabels(drawn, annotations);
  return isComplete || legend.length === 0 ? drawn : addLegend(drawn, legend);
}

/** Tints the pixels of the image itself where the mask is not 0: many masks need no copies. */
export function tintMask(image: RgbImage, mask: Uint8Array, colour: Rgb, opacity = 0.4): void {
  if (mask.length !== image.width * image.height) {
    throw new RangeError(`tintMask: expected a mask of ${image.width}x${image.height} values, received ${mask.length}`);
  }
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] !== 0) blend(image.data, 3 * i, colour, opacity);
  }
}

/** Pixels that are rendered at a time, which takes several times their bytes. */
const STRIP = 2_000_000;

/** Renders SVG elements over a picture, strip by strip on the picture itself, and returns it. */
export async function composeSvg(image: RgbImage, elements: string): Promise<RgbImage> {
  if (elements === '') return image;
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

/** Of a picture's boxes and outlines. */
const lineWidth = (picture: Size): number => Math.max(2, Math.sqrt(picture.width * picture.height) / 220);

/** A line hides at most this share of an object's shorter side. */
const LINE_SHARE = 1 / 8;

function svgShapes({ box, outlines = [], colour }: Annotation, widest: number): string {
  const polygons = outlines.map((points) => lined(`<polygon points="${numbers(points)}"`, colour, widest));
  if (box === undefined || polygons.length > 0) return polygons.join('');
  const [width, height] = [Math.max(0, box[2] - box[0]), Math.max(0, box[3] - box[1])];
  const line = Math.max(1, Math.min(widest, LINE_SHARE * Math.min(width, height)));
  const [x, y, w, h] = [box[0], box[1], width, height].map((value) => value.toFixed(1));
  return polygons.join('') + lined(`<rect x="${x}" y="${y}" width="${w}" height="${h}"`, colour, line);
}

/** A shape's line, with a thin edge of black or white that parts it from what has its colour. */
function lined(shape: string, colour: Rgb, width: number): string {
  const edge = `stroke="${css(inkOn(colour))}" stroke-opacity="0.4" stroke-width="${(1.6 * width).toFixed(1)}"`;
  const line = `stroke="${css(colour)}" stroke-width="${width.toFixed(1)}"`;
  return [edge, line].map((pen) => `${shape} fill="none" stroke-linejoin="round" ${pen}/>`).join('');
}

const numbers = (values: readonly number[]): string => values.map((value) => value.toFixed(1)).join(' ');

/** Opacity of the plates under labels. */
const PLATE = 0.85;

/** More labels than a picture has room for are not even looked at. */
const MOST_LABELS = 500;

/** Whether every label has found room. */
async function drawLabels(image: RgbImage, annotations: readonly Annotation[]): Promise<boolean> {
  const size = textSize(image);
  const pad = Math.round(0.3 * size);
  const all = annotations.flatMap(({ label, ...rest }) => (label ? [{ ...rest, label }] : [])).reverse();
  const labelled = all.slice(0, MOST_LABELS);
  const room = image.width - 2 * pad;
  const texts = await Promise.all(
    labelled.map(({ label, colour }) => fittingText(label, room, { size, colour: inkOn(colour) })),
  );
  const wanted = labelled.map(({ box }, i) => ({
    ...(box && { box }),
    width: texts[i]!.width + 2 * pad,
    height: Math.max(texts[i]!.height, Math.round(0.9 * size)) + 2 * pad,
  }));
  const objects = annotations.flatMap(({ box }) => (box ? [box] : []));
  const places = placeLabels(wanted, objects, image);
  places.forEach((place, i) => {
    if (place !== undefined) drawPlate(image, place, { colour: labelled[i]!.colour, text: texts[i]! });
  });
  return labelled.length === all.length && !places.includes(undefined);
}

function drawPlate(
  image: RgbImage,
  box: Box,
  { colour, text }: { readonly colour: Rgb; readonly text: TextPicture },
): void {
  fillBox(image, box, colour, PLATE);
  const [x1, y1, x2, y2] = box;
  paintText(image, text, { left: x1 + ((x2 - x1 - text.width) >> 1), top: y1 + ((y2 - y1 - text.height) >> 1) });
}
