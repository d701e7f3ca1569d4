/** Which segmented images are looked at; the page's address and the server read it alike. */
import { readCell, readIndex, readIndices, readNumber, readWord, requireKnown } from '../query';

/** As the data set has them; those with the largest share of wrong pixels first; those that two runs differ most about first. */
export const ORDERS = ['data', 'errors', 'changed'] as const;

export interface SegmentationFilter {
  /** Whose predictions; 0 or 1. */
  readonly run: number;
  /** Labelled or predicted in the image; any where it is empty. */
  readonly classes: ReadonlySet<number>;
  /** Share of the labelled pixels that are wrong. */
  readonly minWrong: number;
  readonly maxWrong: number;
  /** A cell of the confusion matrix that has pixels of the image. */
  readonly cell: readonly [row: number, column: number] | undefined;
  readonly order: (typeof ORDERS)[number];
}

export const FILTER_KEYS = ['run', 'class', 'minWrong', 'maxWrong', 'cell', 'order'];

/** @throws QueryError for what is no filter of a set with so many classes and runs. */
export function readFilter(
  query: URLSearchParams,
  { classes, runs }: { readonly classes: number; readonly runs: number },
): SegmentationFilter {
  requireKnown(query, FILTER_KEYS);
  return {
    run: readIndex(query, 'run', Math.max(1, runs)) ?? 0,
    classes: readIndices(query, 'class', classes),
    minWrong: readNumber(query, 'minWrong', 0),
    maxWrong: readNumber(query, 'maxWrong', 1),
    cell: readCell(query, classes),
    order: readWord(query, 'order', ORDERS),
  };
}
