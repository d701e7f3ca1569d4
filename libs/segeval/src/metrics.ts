/** The metrics of semantic segmentation (MMSegmentation 0.11, `eval_metrics`). */

/** How the metrics are computed. */
export interface MetricOptions {
  /** Weight of recall in the F-score; default 1, which makes it Dice. */
  readonly beta?: number;
  /** The value of a ratio of nothing to nothing, which counts in the means; default NaN, which the means leave out. */
  readonly nanAs?: number;
}

/** All of one class. Areas are in pixels. */
export interface ClassMetrics {
  readonly iou: number;
  /** Share of the class's pixels that were found: its recall. */
  readonly acc: number;
  readonly dice: number;
  readonly precision: number;
  readonly fScore: number;
  readonly intersect: number;
  readonly union: number;
  readonly predictedArea: number;
  readonly labelArea: number;
}

/** Shares from 0 to 1; means are over the classes whose ratio is a number. */
export interface SegmentationMetrics {
  /** Share of all pixels that are right. */
  readonly aAcc: number;
  readonly mIoU: number;
  readonly mAcc: number;
  readonly mDice: number;
  readonly mPrecision: number;
  readonly mFScore: number;
  readonly perClass: readonly ClassMetrics[];
}

/**
 * The numbers of MMSegmentation's `eval_metrics`.
 * @param confusion pixels by true class (rows) and predicted class (columns), [K, K] row-major.
 */
export function segmentationMetrics(
  confusion: Float64Array,
  classes: number,
  { beta = 1, nanAs = NaN }: MetricOptions = {},
): SegmentationMetrics {
  if (confusion.length !== classes * classes) {
    throw new RangeError(`segmentationMetrics: expected ${classes * classes} counts, received ${confusion.length}`);
  }
  const ratio = (part: number, whole: number): number => (whole === 0 ? nanAs : part / whole);
  const perClass = Array.from({ length: classes }, (_, k): ClassMetrics => {
    const intersect = confusion[k * classes + k]!;
    let [predictedArea, labelArea] = [0, 0];
    for (let other = 0; other < classes; other++) {
      labelArea += confusion[k * classes + other]!;
      predictedArea += confusion[other * classes + k]!;
    }
    const union = predictedArea + labelArea - intersect;
    return {
      iou: ratio(intersect, union),
      acc: ratio(intersect, labelArea),
      dice: ratio(2 * intersect, predictedArea + labelArea),
      precision: ratio(intersect, predictedArea),
      fScore: ratio((1 + beta ** 2) * intersect, predictedArea + beta ** 2 * labelArea),
      intersect,
      union,
      predictedArea,
      labelArea,
    };
  });
  const mean = (name: 'iou' | 'acc' | 'dice' | 'precision' | 'fScore'): number =>
    meanOf(perClass.map((of) => of[name]));
  const sum = (name: 'intersect' | 'labelArea'): number => perClass.reduce((total, of) => total + of[name], 0);
  return {
    aAcc: ratio(sum('intersect'), sum('labelArea')),
    mIoU: mean('iou'),
    mAcc: mean('acc'),
    mDice: mean('dice'),
    mPrecision: mean('precision'),
    mFScore: mean('fScore'),
    perClass,
  };
}

/** The mean of those that are numbers. */
function meanOf(values: readonly number[]): number {
  const numbers = values.filter((value) => !Number.isNaN(value));
  return numbers.reduce((total, value) => total + value, 0) / numbers.length;
}
