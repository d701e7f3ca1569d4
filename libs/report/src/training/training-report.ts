/** A training's curves, of one run or of several over each other. */
import { chart, charts, type Chart, type Series } from '../chart';
import { page, type Section } from '../page';
import { number, table } from '../table';

/** A line of `metrics.jsonl`. */
export interface TrainingRecord {
  readonly kind: string;
  /** Updates done. */
  readonly step: number;
  readonly [value: string]: unknown;
}

export interface TrainingRun {
  readonly name: string;
  readonly records: readonly TrainingRecord[];
}

/** What a training logs besides losses: a chart each. */
const RATES: Readonly<Record<string, string>> = {
  lr: 'learning rate',
  samplesPerSecond: 'images a second',
  idle: 'share of the time between steps',
  gradNorm: 'gradient norm',
};

/** Fields of a record that are no values. */
const POSITION = new Set(['kind', 'step', 'epoch', 'time']);

/** @returns the file's text. */
export function trainingReport(title: string, runs: readonly TrainingRun[]): string {
  const trained = valuesOf(runs, 'train');
  const measured = valuesOf(runs, 'evaluation');
  const losses = trained.filter((name) => !Object.hasOwn(RATES, name) && name !== 'loss');
  const draw = (titled: string, series: readonly Series[], more: Partial<Chart> = {}): Chart => ({
    title: titled,
    kind: 'line',
    xLabel: 'step',
    yLabel: titled.toLowerCase(),
    series,
    ...more,
  });
  const loss = runs.flatMap((run) => [
    ...curve(run, 'train', 'loss', lookOf(runs, run, 'training')),
    ...curve(run, 'evaluation', 'loss', { ...lookOf(runs, run, 'validation'), style: 'dashed' }),
  ]);
  const all = (kind: string, name: string): Series[] =>
    runs.flatMap((run) => curve(run, kind, name, lookOf(runs, run, name)));
  const metrics = measured.filter((name) => name !== 'loss');
  const sections: Section[] = [
    {
      title: 'Loss',
      note: 'Names in a legend hide and show their curve.',
      body: [
        charts([
          chart(draw('Loss', loss, logarithmic(loss))),
          ...losses.map((name) => chart(draw(name, all('train', name)))),
        ]),
      ],
    },
    {
      title: 'Evaluations',
      body:
        metrics.length === 0
          ? []
          : [charts(metrics.map((name) => chart(draw(name, all('evaluation', name))))), evaluations(runs, measured)],
    },
    { title: 'Rates', body: [charts(trained.filter((name) => Object.hasOwn(RATES, name)).map((name) => chart(draw(RATES[name]!, all('train', name)))))] }, // prettier-ignore
  ];
  return page({ title, sections });
}

/** Names of the numbers that lines of a kind hold, in the order of their first appearance. */
function valuesOf(runs: readonly TrainingRun[], kind: string): string[] {
  const names = new Set<string>();
  for (const { records } of runs) {
    for (const record of records) {
      if (record.kind !== kind) continue;
      for (const [name, value] of Object.entries(record)) {
        if (!POSITION.has(name) && typeof value === 'number') names.add(name);
      }
    }
  }
  return [...names];
}

type Look = Omit<Series, 'points'>;

/** One curve; none where the run has no such numbers. */
function curve({ records }: TrainingRun, kind: string, value: string, look: Look): Series[] {
  const points = records.flatMap((record): [number, number][] => {
    const y = record[value];
    return record.kind === kind && typeof y === 'number' ? [[record.step, y]] : [];
  });
  return points.length === 0 ? [] : [{ ...look, points: thinned(points) }];
}

/** More points than a screen has columns show nothing more; a long run would make a page of many megabytes. */
const MOST_POINTS = 1500;

/** Evenly spaced points, the first and the last among them. */
function thinned<T>(points: readonly T[]): T[] {
  const step = Math.max(1, (points.length - 1) / (MOST_POINTS - 1));
  return Array.from({ length: Math.min(points.length, MOST_POINTS) }, (_, i) => points[Math.round(i * step)]!);
}

/** Curves of several runs carry the name of theirs, and its colour in every chart. */
const lookOf = (runs: readonly TrainingRun[], run: TrainingRun, name: string): Look =>
  runs.length === 1 ? { name } : { name: `${run.name}: ${name}`, colour: runs.indexOf(run) };

/** A loss that falls to a tenth or less is read better by factors. */
function logarithmic(series: readonly Series[]): Partial<Chart> {
  const values = series.flatMap(({ points }) => points.map(([, y]) => y));
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  return low > 0 && high > 10 * low ? { isLogarithmic: true } : {};
}

function evaluations(runs: readonly TrainingRun[], metrics: readonly string[]) {
  const rows = runs.flatMap(({ name, records }) =>
    records
      .filter(({ kind }) => kind === 'evaluation')
      .map((record) => [
        ...(runs.length === 1 ? [] : [name]),
        number(record.step),
        ...metrics.map((metric) => valueCell(record[metric])),
      ]),
  );
  return table({ caption: 'Evaluations', columns: [...(runs.length === 1 ? [] : ['run']), 'step', ...metrics], rows });
}

const valueCell = (value: unknown) => (typeof value === 'number' ? number(value, value.toFixed(4)) : '–');
