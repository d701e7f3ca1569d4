import { existsSync, readFileSync } from 'node:fs';
import { lineChartPicture, type Series } from '@pyramidal/pictures';

/** What `metrics.jsonl` holds of interest here, a line each. */
type MetricsLine = { readonly kind: 'train' | 'evaluation'; readonly step: number } & Readonly<Record<string, number>>;

/** A chart of an app's own metrics. */
export interface EvaluationChart {
  /** Name of the picture's file. */
  readonly file: string;
  readonly title: string;
  readonly yLabel: string;
  /** Names of the metrics, one curve each. */
  readonly metrics: readonly string[];
}

/** Draws the loss, and metrics of the evaluations, over the steps of a run. Returns PNG bytes by name, none of a run without a line yet. */
export async function trainingCurves(
  metricsFile: string,
  chart: EvaluationChart,
): Promise<ReadonlyMap<string, Buffer>> {
  if (!existsSync(metricsFile)) return new Map();
  const lines = readFileSync(metricsFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as MetricsLine);
  const series = (kind: MetricsLine['kind'], name: string): Series => ({
    name,
    points: lines.filter((line) => line.kind === kind).map((line) => [line.step, line[name] ?? NaN]),
  });
  const loss = { title: 'Training loss', xLabel: 'step', yLabel: 'loss', series: [series('train', 'loss')] };
  const { file, title, yLabel, metrics } = chart;
  const evaluations = { title, xLabel: 'step', yLabel, series: metrics.map((name) => series('evaluation', name)) };
  return new Map([
    ['loss.png', await lineChartPicture(loss)],
    [file, await lineChartPicture(evaluations)],
  ]);
}
