/** What the page shows: all of it stands in the address, so that a link leads back to it. */
import { FILTER_KEYS as DETECTION_KEYS } from '../src/detection/filter';
import type { Task } from '../src/protocol';
import { FILTER_KEYS as SEGMENTATION_KEYS } from '../src/segmentation/filter';

/** What may be drawn, and left out. */
export const DRAWN = ['truth', 'predictions', 'boxes', 'masks', 'labels'] as const;
export type Drawn = (typeof DRAWN)[number];

export const MAP_LAYERS = ['picture', 'label', 'prediction', 'difference'] as const;
export type MapLayer = (typeof MAP_LAYERS)[number];

export interface View {
  readonly page: 'images' | 'numbers';
  /** As the server reads it. */
  readonly filter: URLSearchParams;
  /** The image that is looked at alone. */
  readonly image: number | undefined;
  readonly hidden: ReadonlySet<Drawn>;
  /** Colours tell classes, or what became of a detection. */
  readonly colours: 'kind' | 'class';
  readonly panes: 'together' | 'apart';
  /** Of the maps of a segmentor. */
  readonly layer: MapLayer;
  readonly opacity: number;
}

const KEYS = ['view', 'image', 'hide', 'colours', 'panes', 'layer', 'opacity'] as const;

export const filterKeys = (task: Task): readonly string[] =>
  task === 'detection' ? DETECTION_KEYS : SEGMENTATION_KEYS;

export function readView(query: URLSearchParams, task: Task, runs: number): View {
  const filter = new URLSearchParams([...query].filter(([key]) => filterKeys(task).includes(key)));
  const hidden = new Set((query.get('hide') ?? '').split(','));
  const apart = runs > 1 ? 'apart' : 'together';
  const image = Number(query.get('image') ?? NaN);
  const opacity = Number(query.get('opacity') ?? NaN);
  return {
    page: query.get('view') === 'numbers' ? 'numbers' : 'images',
    filter,
    image: Number.isInteger(image) && image >= 0 ? image : undefined,
    hidden: new Set(DRAWN.filter((name) => hidden.has(name))),
    colours: wordOf(query.get('colours'), ['kind', 'class'], runs > 0 ? 'kind' : 'class'),
    panes: wordOf(query.get('panes'), ['together', 'apart'], apart),
    layer: wordOf(query.get('layer'), MAP_LAYERS, runs > 0 ? 'difference' : 'label'),
    opacity: opacity >= 0 && opacity <= 1 ? opacity : 0.6,
  };
}

const wordOf = <Word extends string>(text: string | null, words: readonly Word[], otherwise: Word): Word =>
  words.find((word) => word === text) ?? otherwise;

/** The address as it is, changed; what is undefined or empty goes. */
export type Change = Readonly<Record<string, string | number | undefined>>;

export function changed(query: URLSearchParams, change: Change): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined || value === '') next.delete(key);
    else next.set(key, String(value));
  }
  return next;
}

/** The address of the page, and who is told when it changes. */
export class Address {
  private readonly told: (() => void)[] = [];

  constructor(
    readonly task: Task,
    private readonly runs: number,
  ) {
    addEventListener('popstate', () => this.tell());
    document.addEventListener('click', (event) => this.follow(event));
  }

  get query(): URLSearchParams {
    return new URLSearchParams(location.search);
  }

  get view(): View {
    return readView(this.query, this.task, this.runs);
  }

  onChange(tell: () => void): void {
    this.told.push(tell);
  }

  /** @param isStep whether the browser's way back leads here again. */
  change(change: Change, isStep = true): void {
    this.go(changed(this.query, change), isStep);
  }

  /** A filter in place of the one that is there. */
  linkTo(filter: Change): string {
    const kept = new URLSearchParams([...this.query].filter(([key]) => KEYS.some((name) => name === key)));
    return `?${changed(kept, { view: undefined, image: undefined, ...filter })}`;
  }

  private go(query: URLSearchParams, isStep: boolean): void {
    const address = `?${query}`;
    if (address === (location.search || '?')) return;
    history[isStep ? 'pushState' : 'replaceState'](null, '', address);
    this.tell();
  }

  /** Links within the page change it in place of loading it anew. */
  private follow(event: MouseEvent): void {
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    const link = event.target instanceof Element ? event.target.closest('a[href^="?"]') : null;
    if (link === null || !isPlain) return;
    event.preventDefault();
    this.go(new URLSearchParams(link.getAttribute('href')!), true);
  }

  private tell(): void {
    for (const tell of this.told) tell();
  }
}
