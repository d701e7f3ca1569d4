/** Which classes are taken for which, of a confusion matrix. */
import { type Html } from './html';
import { confusionTable } from './confusion-table';
import { number, percent, table } from './table';

/** So many classes are shown in a matrix: those with most errors. */
const MOST_CLASSES = 60;
const MOST_PAIRS = 30;

/** A cell beside the diagonal. */
interface ConfusedPair {
  readonly truth: number;
  readonly predicted: number;
  readonly count: number;
  /** Of the true class. */
  readonly share: number;
}

/** @param counts [K][K]: rows true, columns predicted. @returns by falling count. */
export function confusedPairs(counts: readonly ArrayLike<number>[]): ConfusedPair[] {
  const pairs = counts.flatMap((row, truth) => {
    const total = sum(row);
    return Array.from(row, (count, predicted) => ({ truth, predicted, count, share: count / total }));
  });
  return pairs
    .filter(({ truth, predicted, count }) => truth !== predicted && count > 0)
    .sort((a, b) => b.count - a.count);
}

/** The matrix of the classes with most errors, and the pairs that are most often confused. @param unit what is counted. */
export function confusionTables(counts: readonly ArrayLike<number>[], names: readonly string[], unit: string): Html[] {
  const pairs = confusedPairs(counts);
  const errors = names.map((_, k) => sum(counts[k]!) - counts[k]![k]!);
  const shown = [...names.keys()]
    .sort((a, b) => errors[b]! - errors[a]!)
    .slice(0, MOST_CLASSES)
    .sort((a, b) => a - b);
  const shownNames = shown.map((k) => names[k]!);
  const caption =
    shown.length < names.length
      ? `The ${shown.length} classes of ${names.length} with most errors`
      : `All classes, ${unit}`;
  return [
    confusionTable({
      caption,
      counts: shown.map((row) => shown.map((column) => counts[row]![column]!)),
      rowNames: shownNames,
      columnNames: shownNames,
    }),
    table({
      caption: 'Most confused',
      columns: ['truth', 'taken for', unit, '% of the class'],
      rows: pairs.slice(0, MOST_PAIRS).map(({ truth, predicted, count, share }) => [names[truth]!, names[predicted]!, number(count), percent(share)]), // prettier-ignore
    }),
  ];
}

const sum = (row: ArrayLike<number>): number => Array.from(row).reduce((total, value) => total + value, 0);
