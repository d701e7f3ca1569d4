/** Top-1, top-5 and the confusion matrix of a classifier, and what was predicted for each image. */
import type { ImagePrediction } from '@pyramidal/report';

/** Counts of one evaluation over K classes. */
export interface ClassificationCounts {
  readonly images: number;
  readonly top1: number;
  readonly top5: number;
  /** Sum over the images of the cross entropy, without smoothing or weights. */
  readonly crossEntropy: number;
  /** [K, K] row-major: rows are true classes, columns predicted ones. */
  readonly confusion: Uint32Array;
  readonly classes: number;
}

/** What was predicted for an image, and where its class stands. */
export interface RankedPrediction extends ImagePrediction {
  /** How many classes rank before the true one. */
  readonly rank: number;
}

/**
 * What was predicted for each image of a batch; equal logits rank by the lower class index.
 * @param logits [N, K] row-major.
 * @param labels N true classes.
 */
export function predictionsOf(logits: Float32Array, labels: readonly number[]): RankedPrediction[] {
  const classes = logits.length / labels.length;
  return labels.map((label, image) => {
    const row = logits.subarray(image * classes, (image + 1) * classes);
    const predicted = bestClass(row);
    const score = Math.exp(-crossEntropyOf(row, predicted));
    return { label, predicted, rank: rankOf(row, label), score, loss: crossEntropyOf(row, label) };
  });
}

/** Counts predictions. */
export class ClassificationMetrics {
  readonly #confusion: Uint32Array;
  #images = 0;
  #top1 = 0;
  #top5 = 0;
  #crossEntropy = 0;

  constructor(readonly classes: number) {
    this.#confusion = new Uint32Array(classes * classes);
  }

  /** Takes what `predictionsOf` gives, here or in another process: JSON has no NaN, and null in its place. */
  count({ label, predicted, rank, loss }: RankedPrediction): void {
    this.#images++;
    if (rank < 1) this.#top1++;
    if (rank < 5) this.#top5++;
    this.#crossEntropy += loss ?? NaN;
    this.#confusion[label * this.classes + predicted]!++;
  }

  counts(): ClassificationCounts {
    const { classes } = this;
    const sums = { images: this.#images, top1: this.#top1, top5: this.#top5, crossEntropy: this.#crossEntropy };
    return { ...sums, confusion: this.#confusion, classes };
  }
}

/** The standard numbers: shares of images whose class ranks first, and among the first five; and the mean cross entropy. */
export function summarise({ images, top1, top5, crossEntropy }: ClassificationCounts) {
  return { top1: top1 / images, top5: top5 / images, loss: crossEntropy / images };
}

/** Share of each class's images that were recognised; NaN for a class without images. */
export function classAccuracies(counts: ClassificationCounts): number[] {
  return confusionRows(counts).map((row, label) => row[label]! / row.reduce((sum, count) => sum + count, 0));
}

/** The confusion matrix as one array a true class. */
export function confusionRows({ classes, confusion }: ClassificationCounts): Uint32Array[] {
  return Array.from({ length: classes }, (_, label) => confusion.subarray(label * classes, (label + 1) * classes));
}

/** @throws Error for an output of the network, or a sum of them, that is no finite number. */
export function requireNumbers(output: number): void {
  if (Number.isFinite(output)) return;
  throw new Error(
    `the network: expected finite numbers as its outputs, received ${output}; its weights may be damaged`,
  );
}

/** Classes by falling logit, equal ones by index. */
export function topClasses(row: Float32Array, count: number): number[] {
  const order = Array.from(row.keys()).sort((a, b) => row[b]! - row[a]! || a - b);
  return order.slice(0, count);
}

/** `log(sum(exp(row))) - row[label]`, the largest logit taken out first. */
function crossEntropyOf(row: Float32Array, label: number): number {
  const largest = row.reduce((max, value) => Math.max(max, value), -Infinity);
  const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
  return Math.log(sum) + largest - row[label]!;
}

function bestClass(row: Float32Array): number {
  let best = 0;
  for (let k = 1; k < row.length; k++) if (row[k]! > row[best]!) best = k;
  return best;
}

/** How many classes rank before `label`; a logit that is not a number ranks last. */
function rankOf(row: Float32Array, label: number): number {
  const own = row[label]!;
  if (Number.isNaN(own)) return row.length;
  let before = 0;
  for (let k = 0; k < row.length; k++) if (row[k]! > own || (row[k] === own && k < label)) before++;
  return before;
}
