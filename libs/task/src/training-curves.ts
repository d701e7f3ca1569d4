/** A training drawn over its steps: the loss, and a metric that the task chose. */
import { existsSync } from 'node:fs';
import { z } from '@pyramidal/config';
import { readJsonLines } from '@pyramidal/files';
import { lineChartPicture, type Series } from '@pyramidal/pictures';

/** What `metrics.jsonl` holds of interest here, a line each. */
export const metricsLine = z.object({ kind: z.string(), step: z.number() }).catchall(z.unknown());

/** A chart of an app's own metrics. */
export interface EvaluationChart {
  /** Name of the picture's file. */
  readonly file: string;
  readonly title: string;
  readonly yLabel: string;
  /** Names of the metrics, one curve each. */
  readonly metrics: readonly string[];
}

/**
 * Draws the loss, and metrics of the evaluations, over the steps of a run.
 * @param chart undefined for a run without evaluations. @returns PNG bytes by name, none of a run without a line yet.
 */
export async function trainingCurves(
  metricsFile: string,
  chart: EvaluationChart | undefined,
): Promise<ReadonlyMap<string, Buffer>> {
  if (!existsSync(metricsFile)) return new Map();
  const { records } = readJsonLines(metricsFile, metricsLine);
  const series = (kind: 'train' | 'evaluation', metric: string, name = metric): Series => ({
    name,
    points: records
      .filter((record) => record.kind === kind)
      .map(({ step, [metric]: value }) => [step, typeof value === 'number' ? value : NaN]),
  });
  const losses = [series('train', 'loss', 'training'), series('evaluation', 'loss', 'validation')].filter(hasValues);
  const loss = { title: 'Loss', xLabel: 'step', yLabel: 'loss', series: losses, isLogarithmic: fallsFar(losses) };
  if (chart === undefined) return new Map([['loss.png', await lineChartPicture(loss)]]);
  const { file, title, yLabel, metrics } = chart;
  const curves = metrics.map((name) => series('evaluation', name)).filter(hasValues);
  const evaluations = { title, xLabel: 'step', yLabel, series: curves };
  return new Map([
    ['loss.png', await lineChartPicture(loss)],
    [file, await lineChartPicture(evaluations)],
  ]);
}

/** A detector without masks has no numbers for them: nothing to draw, and nothing for the legend to name. */
const hasValues = ({ points }: Series): boolean => points.some(([, value]) => Number.isFinite(value));

/** A loss that falls to a tenth or less is read better by factors. */
function fallsFar(series: readonly Series[]): boolean {
  const values = series.flatMap(({ points }) => points.map(([, y]) => y)).filter(Number.isFinite);
  const [low, high] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  return low! > 0 && high! > 10 * low!;
}
