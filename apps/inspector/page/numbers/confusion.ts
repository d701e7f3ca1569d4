/** Confusion matrices whose cells lead to their images: of the classes with most errors, and the pairs that are confused most. */
import type { About, ConfusionCell, RunAbout } from '../../src/protocol';
import { make, table } from '../dom';
import type { Address } from '../view';

const MOST_CLASSES = 30;
const MOST_PAIRS = 30;

export function confusionTables(about: About, run: RunAbout, place: number, address: Address): HTMLElement[] {
  const { confusion } = run;
  const link = (row: number, column: number, text: string): HTMLElement =>
    make('a', { href: address.linkTo({ cell: `${row}:${column}`, ...(place > 0 && { run: place }) }) }, text);
  const rowName = (label: number): string => about.classes[label]?.name ?? 'nothing';
  const columnName = (label: number): string => about.classes[label]?.name ?? 'not found';
  const shown = shownClasses(about, confusion);
  const labels = about.task === 'detection' ? [...shown, about.classes.length] : shown;
  const counts = new Map(confusion.map(([row, column, count]) => [`${row}:${column}`, count]));
  const rows = labels.map((row) => {
    const total = confusion.reduce((sum, [own, , count]) => (own === row ? sum + count : sum), 0);
    const cells = labels.map((column) => {
      const count = counts.get(`${row}:${column}`);
      if (count === undefined) return undefined;
      const cell = link(row, column, String(count));
      cell.style.setProperty('--share', (count / total).toFixed(3));
      cell.title = `${rowName(row)} taken for ${columnName(column)}: ${count} of ${total}`;
      cell.setAttribute('aria-label', cell.title);
      return cell;
    });
    return [rowName(row), ...cells];
  });
  const all = shown.length === about.classes.length;
  const caption = `${run.name}: ${all ? 'all classes' : `the ${shown.length} classes of ${about.classes.length} with most errors`}`;
  const matrix = table(caption, ['', ...labels.map(columnName)], rows);
  matrix.classList.add('confusion');
  const pairs = [...confusion]
    .filter(([row, column]) => row !== column)
    .sort(([, , a], [, , b]) => b - a)
    .slice(0, MOST_PAIRS)
    .map(([row, column, count]) => [rowName(row), columnName(column), link(row, column, String(count))]);
  return [matrix, table(`${run.name}: most confused`, ['truth', 'taken for', 'how many'], pairs)];
}

function shownClasses({ classes }: About, confusion: readonly ConfusionCell[]): number[] {
  const errors = classes.map(() => 0);
  for (const [row, column, count] of confusion) {
    if (row === column) continue;
    for (const label of [row, column]) if (label < classes.length) errors[label]! += count;
  }
  return [...classes.keys()]
    .sort((a, b) => errors[b]! - errors[a]!)
    .slice(0, MOST_CLASSES)
    .sort((a, b) => a - b);
}
