/** The controls of the filter. A new one is a line in `controlsOf`, and a field of the filter that reads its name. */
import { CROWDS, KINDS, MIN_SCORE, ORDERS, SIZE_NAMES } from '../src/detection/filter';
import type { About } from '../src/protocol';
import { make } from './dom';
import { classColour, kindColour } from './draw/colours';
import type { Address } from './view';

/** What a control is: some of several words, one of them, or a number from 0 to 1. */
type Control =
  | { readonly name: string; readonly title: string; readonly some: readonly Choice[] }
  | { readonly name: string; readonly title: string; readonly one: readonly Choice[] }
  | { readonly title: string; readonly range: readonly [least: string, most: string]; readonly least: number };

interface Choice {
  readonly value: string;
  readonly text: string;
  readonly colour?: string;
  readonly hint?: string | undefined;
}

const ORDER_WORDS = {
  data: 'as in the data set',
  errors: 'most errors first',
  changed: 'most changed between runs first',
};

export class FilterForm {
  private readonly cell = make('div');
  private readonly actions = make('p', { class: 'actions' });

  /** @param form the element that is filled. @param files what may be saved, by name. */
  constructor(
    private readonly form: HTMLFormElement,
    private readonly about: About,
    private readonly address: Address,
    private readonly files: Readonly<Record<string, string>>,
  ) {
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('change', () => this.read());
    form.append(this.cell, ...controlsOf(about).map(draw), this.actions);
    this.show();
  }

  /** Puts the controls as the address has them. */
  show(): void {
    const { filter } = this.address.view;
    for (const control of this.form.elements) {
      if (control instanceof HTMLSelectElement) control.value = filter.get(control.name) ?? control.dataset['default']!;
      if (!(control instanceof HTMLInputElement)) continue;
      const chosen = filter.get(control.name);
      if (control.type === 'checkbox') control.checked = (chosen ?? '').split(',').includes(control.value);
      else control.value = chosen ?? control.dataset['default']!;
    }
    this.cell.replaceChildren(...this.chosenCell(filter.get('cell')));
    this.actions.replaceChildren(...this.links(filter));
  }

  /** What is as it is without being asked for does not stand in the address. */
  private read(): void {
    const values = new Map<string, string[]>();
    for (const control of this.form.elements) {
      if (!(control instanceof HTMLSelectElement || control instanceof HTMLInputElement)) continue;
      const own = values.get(control.name) ?? [];
      values.set(control.name, own);
      const isAsked = control.type === 'checkbox' ? (control as HTMLInputElement).checked : control.value !== control.dataset['default']; // prettier-ignore
      if (isAsked) own.push(control.value);
    }
    this.address.change(Object.fromEntries([...values].map(([name, own]) => [name, own.join(',')])));
  }

  /** The cell that is looked at, and the way out of it. */
  private chosenCell(cell: string | null): HTMLElement[] {
    if (cell === null) return [];
    const [row, column] = cell.split(':').map(Number) as [number, number];
    const name = (label: number, none: string): string => this.about.classes[label]?.name ?? none;
    const text = `${name(row, 'nothing')} → ${name(column, 'not found')}`;
    const run = this.address.query.get('run') ?? undefined;
    return [make('p', { class: 'chosen' }, text, make('a', { href: this.address.linkTo({ run }) }, 'Show all'))];
  }

  private links(filter: URLSearchParams): HTMLElement[] {
    const saves = Object.entries(this.files).map(([name, title]) =>
      make('a', { href: `/export/${name}.json?${filter}`, download: `${name}.json` }, title),
    );
    return [make('a', { href: this.address.linkTo({}) }, 'Clear the filter'), ...saves];
  }
}

function controlsOf({ task, classes, runs, meanings }: About): Control[] {
  const hasRuns = runs.length > 0;
  const run: Control = {
    name: 'run',
    title: 'Run',
    one: runs.map(({ name }, i) => ({ value: String(i), text: name })),
  };
  const orders = ORDERS.filter((order) => (order === 'changed' ? runs.length > 1 : order === 'data' || hasRuns));
  const order: Control = {
    name: 'order',
    title: 'Order',
    one: orders.map((value) => ({ value, text: ORDER_WORDS[value] })),
  };
  const class_: Control = {
    name: 'class',
    title: 'Classes',
    some: classes.map((one, label) => ({ value: String(label), text: one.name, colour: classColour(one) })),
  };
  const ofRuns = (...controls: Control[]): Control[] => (hasRuns ? controls : []);
  const first = [...(runs.length > 1 ? [run] : []), order];
  if (task === 'segmentation') {
    return [...first, ...ofRuns({ title: 'Wrong pixels', range: ['minWrong', 'maxWrong'], least: 0 }), class_];
  }
  const kinds = KINDS.map((kind) => ({ value: kind, text: kind, colour: kindColour(kind), hint: meanings[kind] }));
  return [
    ...first,
    ...ofRuns(
      { title: 'Score', range: ['minScore', 'maxScore'], least: MIN_SCORE },
      { title: 'IoU', range: ['minIou', 'maxIou'], least: 0 },
      { name: 'kind', title: 'Kinds', some: kinds },
    ),
    { name: 'size', title: 'Sizes', some: SIZE_NAMES.map((value) => ({ value, text: value })) },
    { name: 'crowd', title: 'Crowds', one: CROWDS.map((value) => ({ value, text: value })) },
    class_,
  ];
}

function draw(control: Control): HTMLElement {
  if ('range' in control) return drawRange(control);
  const { name, title } = control;
  if ('some' in control) {
    const boxes = control.some.map((choice) => drawBox(name, choice));
    return make('fieldset', {}, make('legend', {}, title), make('div', { class: 'choices' }, ...boxes));
  }
  const options = control.one.map(({ value, text }) => make('option', { value }, text));
  const id = `filter-${name}`;
  const select = make('select', { id, name, 'data-default': control.one[0]!.value }, ...options);
  return make('label', { for: id }, title, select);
}

function drawBox(name: string, { value, text, colour, hint }: Choice): HTMLElement {
  const id = `filter-${name}-${value}`;
  const dot = colour === undefined ? undefined : make('span', { class: 'dot' });
  if (dot !== undefined) dot.style.background = colour!;
  const input = make('input', { type: 'checkbox', id, name, value });
  return make('label', { for: id, title: hint ?? text }, input, dot, make('span', {}, text));
}

function drawRange({ title, range: [from, to], least }: Extract<Control, { range: unknown }>): HTMLElement {
  const input = (name: string, otherwise: number, word: string): HTMLElement =>
    make('input', {
      ...{ type: 'number', id: `filter-${name}`, name, min: 0, max: 1, step: 'any', required: true },
      ...{ 'data-default': otherwise, 'aria-label': `${title}, ${word}` },
    });
  const inputs = make('span', { class: 'range' }, input(from, least, 'least'), 'to', input(to, 1, 'most'));
  return make('fieldset', {}, make('legend', {}, title), inputs);
}
