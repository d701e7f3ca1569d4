/** Confusion matrices as pictures. */
import { type Rgb, type RgbImage, blankImage, encodeImage, padImage, resizeImage } from '@pyramidal/images';
import { rampColour } from './colour-ramp';
import { composeSvg } from './draw';
import { svgText, textWidth } from './glyphs';

/** White, through blue, to dark blue. */
const RAMP: readonly Rgb[] = [
  [247, 250, 253],
  [158, 202, 225],
  [49, 130, 189],
  [8, 48, 107],
];
const INK = '#1f2937';

/** Up to so many classes are named; up to fewer, counts stand in the cells. */
const MOST_NAMED = 60;
const MOST_COUNTED = 25;

/** Height of the title's capitals, and what stays white at the right and below, in pixels. */
const TITLE = 12;
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
  const text = Math.min(10, Math.max(4, cell * 0.35));
  const named = classes <= MOST_NAMED;
  const margin = 3 * text + (named ? Math.max(...names.map((name) => textWidth(name, text))) : 2 * text) + 16;
  const side = cell * classes;
  // Few classes make a matrix that is smaller than the words around it.
  const halfOf = (axis: string): number => textWidth(axis, text + 2) / 2;
  const [across, down] = [halfOf('predicted class'), halfOf('true class')];
  const [left, top] = [Math.ceil(Math.max(margin, across - side / 2 + EDGE)), 40];
  const title = `${accuracyOf(counts)} correct`;
  const [centreX, centreY] = [left + side / 2, top + side / 2];
  const right = Math.max(left + side, left + textWidth(title, TITLE), centreX + across);
  const bottom = Math.max(top + side + left, centreY + down + EDGE);
  const canvas = { width: Math.ceil(right) + EDGE, height: Math.ceil(bottom) };
  const heat = resizeImage(heatMap(counts), { width: side, height: side, convention: 'opencv-nearest' });
  const page = padImage(heat, canvas, { x: left, y: top, fill: [255, 255, 255] });
  const centre = (i: number) => (i + 0.5) * cell + text / 2;
  const labels = named
    ? names.flatMap((name, i) => [
        svgText(name, { x: left - 8, y: top + centre(i), size: text, colour: INK, anchor: 'end' }),
        svgText(name, { x: left + centre(i), y: top + side + 8, size: text, colour: INK, anchor: 'end', angle: -90 }),
      ])
    : [];
  const axes = [
    svgText(title, { x: left, y: 26, size: TITLE, colour: INK, bold: true }),
    svgText('true class', {
      x: text + 10,
      y: centreY,
      size: text + 2,
      colour: INK,
      anchor: 'middle',
      angle: -90,
    }),
    svgText('predicted class', {
      x: centreX,
      y: canvas.height - 8,
      size: text + 2,
      colour: INK,
      anchor: 'middle',
    }),
    `<rect x="${left}" y="${top}" width="${side}" height="${side}" fill="none" stroke="${INK}"/>`,
  ];
  const numbers = classes <= MOST_COUNTED ? cellCounts(counts, left, top, cell) : [];
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

function cellCounts(counts: readonly ArrayLike<number>[], left: number, top: number, cell: number): string[] {
  return counts.flatMap((row, y) => {
    const total = sum(row);
    return Array.from(row, (count, x) => {
      if (count === 0) return '';
      const size = Math.min(9, cell * 0.3, (cell * 0.8 * 9) / Math.max(1, textWidth(String(count), 9)));
      const colour = count / total > 0.5 ? 'white' : INK;
      const [px, py] = [left + (x + 0.5) * cell, top + (y + 0.5) * cell + size / 2];
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
