/** The confusion matrix of semantic segmentation, counted map by map (MMSegmentation's `intersect_and_union`). */
import { labelTable, type LabelRules } from './label-rules';
import { segmentationMetrics, type MetricOptions, type SegmentationMetrics } from './metrics';

/** The classes of an evaluation and how labels become them. */
export type SegmentationEvaluatorOptions = LabelRules;

/** Pixels by true class (rows) and predicted class (columns), [K, K] row-major. */
export interface SegmentationCounts {
  readonly classes: number;
  confusion(): ArrayLike<number>;
}

/** Values of a byte: the stored labels, and the predictions beside each of them. */
const BYTE = 256;
/** Largest count that a 32-bit cell holds. */
const FULL = 2 ** 32 - 1;

/**
 * Counts predicted against true classes, map by map; the counts of several evaluators, such as one a thread, can be
 * merged. Semantics of MMSegmentation 0.11: pixels are left out where the label says so, whatever is predicted there.
 */
export class SegmentationEvaluator {
  readonly classes: number;
  /** Class of every stored label value: K where it is ignored, K + 1 where it may not occur. */
  private readonly classOf: Int32Array;
  /** Pixels by stored label (rows) and prediction (columns). */
  private readonly cells = new Uint32Array(BYTE * BYTE);
  /** Pixels in `cells`. */
  private pending = 0;
  /** Pixels by true and predicted class; float64 counts exactly to 2^53. */
  private readonly counts: Float64Array;

  constructor(private readonly rules: SegmentationEvaluatorOptions) {
    const { classes } = rules;
    if (!(Number.isInteger(classes) && classes >= 1 && classes <= 255)) {
      throw new RangeError(`SegmentationEvaluator: expected 1 to 255 classes, received ${classes}`);
    }
    this.classes = classes;
    this.classOf = labelTable(rules);
    this.counts = new Float64Array(classes * classes);
  }

  /**
   * Counts one map.
   * @param prediction classes from 0 to K - 1, row by row.
   * @param label stored label values of the same pixels.
   * @param name of the map, for errors.
   * @throws RangeError if the sizes differ or a value is out of range, naming it; nothing has been counted then.
   */
  add(prediction: Uint8Array, label: Uint8Array, name = 'map'): void {
    if (prediction.length !== label.length) {
      throw new RangeError(
        `${name}: expected ${label.length} predicted pixels as labels, received ${prediction.length}`,
      );
    }
    if (this.pending + label.length > FULL) this.flush();
    countPairs(this.cells, prediction, label, 1);
    if (this.holdsForbidden()) {
      countPairs(this.cells, prediction, label, -1);
      throw new RangeError(`${name}: ${this.problemOf(prediction, label)}`);
    }
    this.pending += label.length;
  }

  /** Adds what another evaluator has counted. */
  merge(other: SegmentationCounts): void {
    if (other.classes !== this.classes) {
      throw new RangeError(`merge: expected counts of ${this.classes} classes, received ${other.classes}`);
    }
    Array.from(other.confusion()).forEach((count, cell) => (this.counts[cell]! += count));
  }

  /** Pixels by true class (rows) and predicted class (columns), [K, K] row-major. */
  confusion(): Float64Array {
    this.flush();
    return this.counts.slice();
  }

  metrics(options: MetricOptions = {}): SegmentationMetrics {
    return segmentationMetrics(this.confusion(), this.classes, options);
  }

  /** Whether there are counts of labels that may not occur, or of predictions that are no class. */
  private holdsForbidden(): boolean {
    const { classes } = this;
    const cells = this.cells;
    for (let stored = 0; stored < BYTE; stored++) {
      const label = this.classOf[stored]!;
      if (label === classes) continue;
      const end = (stored + 1) * BYTE;
      for (let cell = label < classes ? end - BYTE + classes : end - BYTE; cell < end; cell++) {
        if (cells[cell] !== 0) return true;
      }
    }
    return false;
  }

  private problemOf(prediction: Uint8Array, label: Uint8Array): string {
    const { classes } = this;
    const { ignoreIndex = 255, reduceZeroLabel = false } = this.rules;
    const wrong = label.findIndex((stored) => this.classOf[stored]! > classes);
    if (wrong >= 0) {
      const last = reduceZeroLabel ? classes : classes - 1;
      return `expected labels from 0 to ${last} or ${ignoreIndex}, received ${label[wrong]} at pixel ${wrong}`;
    }
    const at = prediction.findIndex((value, pixel) => value >= classes && this.classOf[label[pixel]!] !== classes);
    return `expected predictions from 0 to ${classes - 1}, received ${prediction[at]} at pixel ${at}`;
  }

  /** Moves the counts to their classes. */
  private flush(): void {
    const { classes } = this;
    for (let stored = 0; stored < BYTE; stored++) {
      const label = this.classOf[stored]!;
      if (label >= classes) continue;
      for (let predicted = 0; predicted < classes; predicted++) {
        this.counts[label * classes + predicted]! += this.cells[stored * BYTE + predicted]!;
      }
    }
    this.cells.fill(0);
    this.pending = 0;
  }
}

/**
 * Adds `weight` to the cell of every pixel. Four pixels at a time, and a run of equal fours at once: maps are smooth,
 * and counting one cell over and over would wait for its own last result.
 */
function countPairs(cells: Uint32Array, prediction: Uint8Array, label: Uint8Array, weight: 1 | -1): void {
  const predicted = asWords(prediction);
  const stored = asWords(label);
  const words = stored.length;
  for (let i = 0; i < words;) {
    const p = predicted[i]!;
    const s = stored[i]!;
    let times: number = weight;
    while (++i < words && stored[i] === s && predicted[i] === p) times += weight;
    cells[((s & 0xff) << 8) | (p & 0xff)]! += times;
    cells[(s & 0xff00) | ((p >>> 8) & 0xff)]! += times;
    cells[((s >>> 8) & 0xff00) | ((p >>> 16) & 0xff)]! += times;
    cells[((s >>> 16) & 0xff00) | (p >>> 24)]! += times;
  }
  for (let i = 4 * words; i < label.length; i++) cells[(label[i]! << 8) | prediction[i]!]! += weight;
}

/** Whole words of four pixels; copied if they do not lie on word borders. */
function asWords(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Int32Array(buffer, byteOffset, bytes.length >> 2);
}
