/** Line charts as pictures. */
import { blankImage, encodeImage } from '@pyramidal/images';
import { PALETTE, composeSvg, css } from './draw';
import { svgText, textWidth } from './glyphs';

const INK = '#1f2937';
const FAINT = '#e5e7eb';
const SIZE = { width: 880, height: 480 };
const PLOT = { left: 84.5, right: 856.5, top: 64.5, bottom: 416.5 };

export interface Series {
  readonly name: string;
  /** Points that are not finite are left out. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LineChart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
}

/** Curves over a common pair of axes. Returns PNG bytes. */
export async function lineChartPicture({ title, xLabel, yLabel, series }: LineChart): Promise<Buffer> {
  const curves = series.map(({ name, points }) => ({
    name,
    points: points.filter((point) => point.every(Number.isFinite)),
  }));
  const all = curves.flatMap(({ points }) => points);
  const x = axis(
    all.map((point) => point[0]),
    PLOT.left,
    PLOT.right,
  );
  const y = axis(
    all.map((point) => point[1]),
    PLOT.bottom,
    PLOT.top,
  );
  const lines = curves.map(({ points }, i) =>
    curve(
      points.map((point) => [x.place(point[0]), y.place(point[1])]),
      colourOf(i),
    ),
  );
  const middle = (PLOT.top + PLOT.bottom) / 2;
  const elements = [
    svgText(title, { x: PLOT.left, y: 28, size: 12, colour: INK, bold: true }),
    ...x.ticks.map((tick) =>
      svgText(textOf(tick), { x: x.place(tick), y: PLOT.bottom + 20, size: 8, colour: INK, anchor: 'middle' }),
    ),
    ...y.ticks.map((tick) => {
      const at = Math.floor(y.place(tick)) + 0.5;
      const grid = `<path d="M${PLOT.left} ${at}H${PLOT.right}" stroke="${FAINT}"/>`;
      return grid + svgText(textOf(tick), { x: PLOT.left - 10, y: at + 4, size: 8, colour: INK, anchor: 'end' });
    }),
    `<path d="M${PLOT.left} ${PLOT.top}V${PLOT.bottom}H${PLOT.right}" stroke="${INK}" fill="none"/>`,
    svgText(xLabel, { x: (PLOT.left + PLOT.right) / 2, y: SIZE.height - 16, size: 9, colour: INK, anchor: 'middle' }),
    svgText(yLabel, { x: 22, y: middle, size: 9, colour: INK, anchor: 'middle', angle: -90 }),
    ...lines,
    legend(curves.map(({ name }) => name)),
  ];
  return encodeImage(await composeSvg(blankImage(SIZE, [255, 255, 255]), elements.join('')), 'png');
}

/** Maps values to pixels, with round numbers for ticks. */
function axis(values: readonly number[], from: number, to: number) {
  const [low, high] = rangeOf(values);
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return {
    ticks: Array.from({ length: count }, (_, i) => (first + i) * step),
    place: (value: number) => from + ((value - low) / (high - low)) * (to - from),
  };
}

function rangeOf(values: readonly number[]): [low: number, high: number] {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

function curve(points: readonly (readonly number[])[], colour: string): string {
  if (points.length === 0) return '';
  const [x, y] = points[0]!.map((value) => value.toFixed(1));
  if (points.length === 1) return `<circle cx="${x}" cy="${y}" r="4" fill="${colour}"/>`;
  const path = points.map((point) => point.map((value) => value.toFixed(1)).join(' ')).join('L');
  return `<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2" stroke-linejoin="round"/>`;
}

/** Names on the top line, ending at the right. */
function legend(names: readonly string[]): string {
  let right = PLOT.right;
  const entries = names.map((name, i) => ({ name, colour: colourOf(i) })).reverse();
  return entries
    .map(({ name, colour }) => {
      const x = right - textWidth(name, 8);
      right = x - 44;
      const swatch = `<path d="M${x - 26} 46H${x - 8}" stroke="${colour}" stroke-width="3"/>`;
      return swatch + svgText(name, { x, y: 50, size: 8, colour: INK });
    })
    .join('');
}

const colourOf = (series: number) => css(PALETTE[series % PALETTE.length]!);

/** Six digits are enough to tell ticks apart. */
const textOf = (tick: number) => String(Number(tick.toPrecision(6)));
