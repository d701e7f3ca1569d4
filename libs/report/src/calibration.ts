/** Whether scores are shares: of the predictions with a score of about 0.8, are 80 % right? (Guo et al. 2017) */
import type { Chart } from './chart';

/** A prediction's score, 0 to 1, and whether it is right. */
export interface ScoredPrediction {
  readonly score: number;
  readonly isRight: boolean;
}

/** Predictions of a range of scores. */
interface Bin {
  readonly count: number;
  /** Means of the bin; NaN where it is empty. */
  readonly score: number;
  readonly accuracy: number;
}

export interface Calibration {
  readonly bins: readonly Bin[];
  /** Expected calibration error: the mean distance of score and accuracy over all predictions; NaN without any. */
  readonly error: number;
}

const BINS = 10;

/** Bins of equal width. */
export function calibrationOf(predictions: readonly ScoredPrediction[]): Calibration {
  const sums = Array.from({ length: BINS }, () => ({ count: 0, score: 0, right: 0 }));
  for (const { score, isRight } of predictions) {
    const bin = sums[Math.min(BINS - 1, Math.max(0, Math.floor(score * BINS)))]!;
    bin.count++;
    bin.score += score;
    if (isRight) bin.right++;
  }
  const bins = sums.map(({ count, score, right }) => ({ count, score: score / count, accuracy: right / count }));
  const distance = sums.reduce((sum, { score, right }) => sum + Math.abs(score - right), 0);
  return { bins, error: distance / predictions.length };
}

/** Accuracy over score, beside the diagonal on which both are equal. */
export function calibrationChart({ bins, error }: Calibration): Chart {
  const filled = bins.filter(({ count }) => count > 0);
  return {
    title: `Calibration (expected error ${(100 * error).toFixed(1)} %)`,
    kind: 'line',
    xLabel: 'mean score',
    yLabel: 'share that is right',
    yRange: [0, 1],
    series: [
      { name: 'predictions', points: filled.map(({ score, accuracy }) => [score, accuracy]) },
      {
        name: 'score = share',
        style: 'dashed',
        points: [
          [0, 0],
          [1, 1],
        ],
      },
    ],
  };
}
