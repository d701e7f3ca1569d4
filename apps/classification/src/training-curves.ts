import { readFileSync } from 'node:fs';
import { lineChartPicture, type Series } from '@pyramidal/images';

/** What `metrics.jsonl` holds of interest here, a line each. */
type MetricsLine = { readonly kind: 'train' | 'evaluation'; readonly step: number } & Readonly<Record<string, number>>;

/** Draws the loss, and the accuracies of the evaluations, over the steps of a run. Returns PNG bytes by name. */
export async function trainingCurves(metricsFile: string): Promise<ReadonlyMap<string, Buffer>> {
  const lines = readFileSync(metricsFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as MetricsLine);
  const series = (kind: MetricsLine['kind'], name: string): Series => ({
    name,
    points: lines.filter((line) => line.kind === kind).map((line) => [line.step, line[name] ?? NaN]),
  });
  const loss = { title: 'Training loss', xLabel: 'step', yLabel: 'loss', series: [series('train', 'loss')] };
  const accuracy = {
    title: 'Validation accuracy',
    xLabel: 'step',
    yLabel: 'share of images',
    series: [series('evaluation', 'top1'), series('evaluation', 'top5')],
  };
  return new Map([
    ['loss.png', await lineChartPicture(loss)],
    ['accuracy.png', await lineChartPicture(accuracy)],
  ]);
}
