/** Charts that Chart.js (https://www.chartjs.org) draws when the page is opened; their numbers stand in the page. */
import { html, jsonScript, type Html } from './html';

/** A curve or a row of bars: a point each, in the order of x. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number | string, y: number])[];
  /** Points without a line, or a dashed line in place of a full one. */
  readonly style?: 'dots' | 'dashed';
  /** Which of the page's colours it has; by its place in the chart unless given. */
  readonly colour?: number;
}

export interface Chart {
  readonly title: string;
  /** Bars stand over names, lines over numbers. */
  readonly kind: 'line' | 'bar';
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** The range of y; what the values need unless given. */
  readonly yRange?: readonly [low: number, high: number];
  /** Equal factors at equal distances, for values above 0. */
  readonly isLogarithmic?: boolean;
  /** Bars lie, so that long names can be read. */
  readonly isHorizontal?: boolean;
}

/** Values keep six digits: a chart shows no more, and a page holds thousands. */
const rounded = (value: number): number | null => (Number.isFinite(value) ? Number(value.toPrecision(6)) : null);

/** One chart. */
export const chart = (drawn: Chart): Html => figure(drawn, undefined);

/** Charts beside each other. */
export const charts = (drawn: readonly Html[]): Html => html`<div class="charts">${drawn}</div>`;

/** One chart of several by name, the first until another is chosen. */
export function choosableChart(what: string, choices: readonly (readonly [name: string, chart: Chart])[]): Html {
  const [, first] = choices[0]!;
  const id = first.title.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return html`<div>
    <label class="choice">
      ${what}
      <select data-target="${id}">
        ${choices.map(([name], i) => html`<option value="${id}-${i}">${name}</option>`)}
      </select>
    </label>
    ${figure(first, id)} ${choices.map(([, one], i) => html`<template id="${id}-${i}">${numbersOf(one)}</template>`)}
  </div>`;
}

function figure(drawn: Chart, id: string | undefined): Html {
  const { title, xLabel, yLabel, series } = drawn;
  const names = series.map(({ name }) => name).join(', ');
  return html`<figure class="chart" ${id === undefined ? undefined : html`id="${id}"`}>
    <figcaption>${title}</figcaption>
    <div class="canvas">
      <canvas role="img" aria-label="${title}: ${yLabel} over ${xLabel} of ${names}"></canvas>
    </div>
    ${numbersOf(drawn)}
  </figure>`;
}

/** The chart as the page's script reads it. */
function numbersOf(drawn: Chart): Html {
  const series = drawn.series.map(({ points, ...rest }) => ({
    ...rest,
    points: points.map(([x, y]) => [typeof x === 'number' ? rounded(x) : x, rounded(y)]),
  }));
  return jsonScript({ ...drawn, series });
}
