/** Line charts as pictures. */
import { blankImage, encodeImage } from '@pyramidal/images';
import { composeSvg } from './draw';
import { PALETTE, css } from './palette';
import { svgText, textWidths } from './text';

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
  /** Equal factors at equal distances of y; values that are not above 0 are left out. */
  readonly isLogarithmic?: boolean;
}

/** Ems of the title, of the axes' names and of what stands at ticks and in the legend, in pixels. */
const TEXT = { title: 17, axis: 13, small: 12 };

/** Curves over a common pair of axes. Returns PNG bytes. */
export async function lineChartPicture(chart: LineChart): Promise<Buffer> {
  const { title, xLabel, yLabel, isLogarithmic = false } = chart;
  const isDrawn = ([x, y]: Series['points'][number]): boolean =>
    Number.isFinite(x) && Number.isFinite(y) && (!isLogarithmic || y > 0);
  const curves = chart.series.map(({ name, points }) => ({ name, points: points.filter(isDrawn) }));
  const all = curves.flatMap(({ points }) => points);
  const x = linearAxis(
    all.map((point) => point[0]),
    PLOT.left,
    PLOT.right,
  );
  const y = (isLogarithmic ? logarithmicAxis : linearAxis)(
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
  const small = { size: TEXT.small, colour: INK };
  const axisName = { size: TEXT.axis, colour: INK, anchor: 'middle' } as const;
  const elements = [
    svgText(title, { x: PLOT.left, y: 28, size: TEXT.title, colour: INK }),
    ...x.ticks.map((tick) =>
      svgText(textOf(tick), { ...small, x: x.place(tick), y: PLOT.bottom + 20, anchor: 'middle' }),
    ),
    ...y.ticks.map((tick) => {
      const at = Math.floor(y.place(tick)) + 0.5;
      const grid = `<path d="M${PLOT.left} ${at}H${PLOT.right}" stroke="${FAINT}"/>`;
      return grid + svgText(textOf(tick), { ...small, x: PLOT.left - 10, y: at + 4, anchor: 'end' });
    }),
    `<path d="M${PLOT.left} ${PLOT.top}V${PLOT.bottom}H${PLOT.right}" stroke="${INK}" fill="none"/>`,
    svgText(xLabel, { ...axisName, x: (PLOT.left + PLOT.right) / 2, y: SIZE.height - 16 }),
    svgText(yLabel, { ...axisName, x: 22, y: middle, angle: -90 }),
    ...lines,
    await legend(curves.map(({ name }) => name)),
  ];
  return encodeImage(await composeSvg(blankImage(SIZE, [255, 255, 255]), elements.join('')), 'png');
}

/** Where values stand in the picture, and which of them the axis names. */
interface Axis {
  readonly ticks: readonly number[];
  place(value: number): number;
}

/** Round numbers at equal distances. */
function linearAxis(values: readonly number[], from: number, to: number): Axis {
  const [low, high] = rangeOf(values);
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return {
    ticks: Array.from({ length: count }, (_, i) => (first + i) * step),
    place: (value) => from + ((value - low) / (high - low)) * (to - from),
  };
}

/** Powers of ten, with twice and five times of them where there are few; values above 0. */
function logarithmicAxis(values: readonly number[], from: number, to: number): Axis {
  const [low, high] = rangeOf(values.map(Math.log10));
  const factors = high - low > 4 ? [1] : [1, 2, 5];
  const powers = Array.from({ length: Math.floor(high) - Math.floor(low) + 1 }, (_, i) => Math.floor(low) + i);
  const ticks = powers.flatMap((power) => factors.map((factor) => Number(`${factor}e${power}`)));
  const isInside = (tick: number): boolean => Math.log10(tick) >= low - 1e-9 && Math.log10(tick) <= high + 1e-9;
  return {
    ticks: ticks.filter(isInside),
    place: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
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
async function legend(names: readonly string[]): Promise<string> {
  const widths = await textWidths(names, TEXT.small);
  let right = PLOT.right;
  return names
    .map((name, i) => ({ name, colour: colourOf(i), width: widths[i]! }))
    .reverse()
    .map(({ name, colour, width }) => {
      const x = right - width;
      right = x - 44;
      const swatch = `<path d="M${x - 26} 46H${x - 8}" stroke="${colour}" stroke-width="3"/>`;
      return swatch + svgText(name, { x, y: 50, size: TEXT.small, colour: INK });
    })
    .join('');
}

const colourOf = (series: number) => css(PALETTE[series % PALETTE.length]!);

/** Six digits are enough to tell ticks apart. */
const textOf = (tick: number) => String(Number(tick.toPrecision(6)));
