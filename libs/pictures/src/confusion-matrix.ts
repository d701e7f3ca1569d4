/** Confusion matrices as pictures. */
import { type Rgb, type RgbImage, blankImage, encodeImage, padImage, resizeImage } from '@pyramidal/images';
import { rampColour } from './colour-ramp';
import { composeSvg } from './draw';
import { svgText, textWidths } from './text';

/** White, through blue, to dark blue. */
const RAMP: readonly Rgb[] = [
  [247, 250, 253],
  [158, 202, 225],
  [49, 130, 189],
  [8, 48, 107],
];
const INK = '#1f2937';
const [TRUE, PREDICTED] = ['true class', 'predicted class'];

/** Up to so many classes are named; up to fewer, counts stand in the cells. */
const MOST_NAMED = 60;
const MOST_COUNTED = 25;

/** The title's em, and what stays white at the right and below, in pixels. */
const TITLE = 17;
/** Height of capitals, in ems. */
const CAPITALS = 0.7;
const EDGE = 24;

/**
 * A confusion matrix as a picture: a row for each true class, coloured by the share of its images in each predicted class.
 * @param counts [K][K], rows true, columns predicted.
 * @returns PNG bytes.
 */
export async function confusionMatrixPicture(
  counts: readonly ArrayLike<number>[],
  names: readonly string[],
): Promise<Buffer> {
  if (counts.length !== names.length || counts.some((row) => row.length !== names.length)) {
    throw new RangeError(
      `confusionMatrixPicture: expected ${names.length} rows and columns, received ${counts.length} rows`,
    );
  }
  const classes = names.length;
  const cell = Math.max(1, Math.min(44, Math.floor(900 / classes)));
  const text = Math.min(14, Math.max(6, cell * 0.5));
  const named = classes <= MOST_NAMED;
  const widest = named ? Math.max(...(await textWidths(names, text))) : 2 * text;
  const margin = 2 * text + widest + 16;
  const side = cell * classes;
  // Few classes make a matrix that is smaller than the words around it.
  const [across, down] = (await textWidths([PREDICTED, TRUE], text + 2)).map((width) => width / 2) as [number, number];
  const [left, top] = [Math.ceil(Math.max(margin, across - side / 2 + EDGE)), 40];
  const title = `${accuracyOf(counts)} correct`;
  const [titleWidth] = (await textWidths([title], TITLE)) as [number];
  const [centreX, centreY] = [left + side / 2, top + side / 2];
  const right = Math.max(left + side, left + titleWidth, centreX + across);
  const bottom = Math.max(top + side + left, centreY + down + EDGE);
  const canvas = { width: Math.ceil(right) + EDGE, height: Math.ceil(bottom) };
  const heat = resizeImage(heatMap(counts), { width: side, height: side, convention: 'opencv-nearest' });
  const page = padImage(heat, canvas, { x: left, y: top, fill: [255, 255, 255] });
  const centre = (i: number) => (i + 0.5) * cell + (CAPITALS * text) / 2;
  const labels = named
    ? names.flatMap((name, i) => [
        svgText(name, { x: left - 8, y: top + centre(i), size: text, colour: INK, anchor: 'end' }),
        svgText(name, { x: left + centre(i), y: top + side + 8, size: text, colour: INK, anchor: 'end', angle: -90 }),
      ])
    : [];
  const axes = [
    svgText(title, { x: left, y: 26, size: TITLE, colour: INK }),
    svgText(TRUE, {
      x: text + 10,
      y: centreY,
      size: text + 2,
      colour: INK,
      anchor: 'middle',
      angle: -90,
    }),
    svgText(PREDICTED, {
      x: centreX,
      y: canvas.height - 8,
      size: text + 2,
      colour: INK,
      anchor: 'middle',
    }),
    `<rect x="${left}" y="${top}" width="${side}" height="${side}" fill="none" stroke="${INK}"/>`,
  ];
  const numbers = classes <= MOST_COUNTED ? await cellCounts(counts, left, top, cell) : [];
  return encodeImage(await composeSvg(page, [...labels, ...axes, ...numbers].join('')), 'png');
}

function heatMap(counts: readonly ArrayLike<number>[]): RgbImage {
  const image = blankImage({ width: counts.length, height: counts.length });
  const colours = Array.from({ length: 257 }, (_, i) => rampColour(RAMP, i / 256));
  counts.forEach((row, y) => {
    const total = sum(row);
    for (let x = 0; x < row.length; x++) {
      const share = total === 0 ? 0 : row[x]! / total;
      image.data.set(colours[Math.round(256 * share)]!, (y * row.length + x) * 3);
    }
  });
  return image;
}

/** Counts, of one size that the largest has room for. */
async function cellCounts(
  counts: readonly ArrayLike<number>[],
  left: number,
  top: number,
  cell: number,
): Promise<string[]> {
  const most = Math.max(...counts.flatMap((row) => Array.from(row)));
  const [width] = (await textWidths([String(most)], 100)) as [number];
  const size = Math.min(13, cell * 0.42, (cell * 80) / Math.max(1, width));
  return counts.flatMap((row, y) => {
    const total = sum(row);
    return Array.from(row, (count, x) => {
      if (count === 0) return '';
      const colour = count / total > 0.5 ? 'white' : INK;
      const [px, py] = [left + (x + 0.5) * cell, top + (y + 0.5) * cell + (CAPITALS * size) / 2];
      return svgText(String(count), { x: px, y: py, size, colour, anchor: 'middle' });
    });
  });
}

function accuracyOf(counts: readonly ArrayLike<number>[]): string {
  const total = counts.reduce((all, row) => all + sum(row), 0);
  const correct = counts.reduce((all, row, i) => all + row[i]!, 0);
  return `${correct} of ${total} (${total === 0 ? 0 : ((100 * correct) / total).toFixed(1)} %)`;
}

const sum = (row: ArrayLike<number>) => Array.from(row).reduce((total, value) => total + value, 0);
