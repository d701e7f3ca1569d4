/** The runs in numbers, and the ways from each number to its images. */
import type { About } from '../../src/protocol';
import { KINDS } from '../../src/detection/filter';
import { make, table } from '../dom';
import type { Server } from '../server';
import type { Address } from '../view';
import { confusionTables } from './confusion';
import { CurveChart } from './curve';

/** Fills the section once: numbers do not change. */
export function showNumbers(section: HTMLElement, server: Server, address: Address): void {
  const { about } = server;
  if (about.runs.length === 0) {
    section.append(make('p', {}, 'A data set alone has no numbers: name a run, or a file of results.'));
    return;
  }
  const add = (title: string, ...content: Node[]): void =>
    section.append(make('section', {}, make('h2', {}, title), ...content));
  const note = (text: string): HTMLElement => make('p', { class: 'note' }, text);
  add('Numbers', metricsTable(about));
  if (about.task === 'detection') {
    add('Errors', note(ERRORS), errorTable(about, address));
    add('Precision over recall', new CurveChart(server, address).element);
  }
  add('Confusion', note(CONFUSION), ...about.runs.flatMap((run, i) => confusionTables(about, run, i, address)));
}

const ERRORS =
  'Boxes at an overlap of 0.5 (TIDE); the cost is how much AP50 would rise if all errors of the kind were put right. A number leads to its images.';
const CONFUSION = 'Rows are the truth, columns what it was taken for. A number leads to its images.';

function metricsTable({ runs }: About): HTMLElement {
  const names = Object.keys(runs[0]!.metrics);
  const rows = names.map((name) => [name, ...runs.map(({ metrics }) => numberWords(metrics[name]))]);
  return table('As eval prints them', ['metric', ...runs.map(({ name }) => name)], rows);
}

/** -1 and nothing stand for nothing to count. */
const numberWords = (value: number | null | undefined): string =>
  value === undefined || value === null || value < 0 ? '–' : value.toFixed(3);

function errorTable({ runs, meanings }: About, address: Address): HTMLElement {
  const kinds = KINDS.filter((kind) => runs.some(({ counts }) => counts![kind] > 0 || meanings[kind] !== undefined));
  const rows = kinds.map((kind) => [
    kind,
    meanings[kind] ?? '',
    ...runs.flatMap(({ counts, gains }, run) => {
      const filter = { kind, ...(run > 0 && { run }), ...(kind !== 'missed' && { minScore: 0 }) };
      const link = make('a', { href: address.linkTo(filter) }, String(counts![kind]));
      return [link, gains![kind] === undefined ? '' : gains![kind].toFixed(3)];
    }),
  ]);
  const columns = runs.flatMap(({ name }) => [name, 'cost in AP50']);
  return table('Errors by kind', ['kind', 'meaning', ...columns], rows);
}
