/** How stored label values become classes. */
export interface LabelRules {
  /** K, at most 255. */
  readonly classes: number;
  /** Label value that does not count; default 255. */
  readonly ignoreIndex?: number;
  /** As MMSegmentation's `reduce_zero_label`: 0 becomes 255, k becomes k - 1, 255 stays. */
  readonly reduceZeroLabel?: boolean;
}

/** For every stored value: its class, `classes` if it is ignored, `classes + 1` if it may not occur. */
export function labelTable({ classes, ignoreIndex = 255, reduceZeroLabel = false }: LabelRules): Int32Array {
  return Int32Array.from({ length: 256 }, (_, stored) => {
    const value = reduceZeroLabel ? reduced(stored) : stored;
    if (value === ignoreIndex) return classes;
    return value < classes ? value : classes + 1;
  });
}

const reduced = (stored: number): number => (stored === 0 || stored === 255 ? 255 : stored - 1);
