/** What is drawn of each image: switches above the wall, and the same ones above one image alone. */
import type { About } from '../src/protocol';
import { make } from './dom';
import { type Address, DRAWN, type Drawn, MAP_LAYERS } from './view';

const WORDS: Readonly<Record<Drawn, string>> = {
  truth: 'annotated',
  predictions: 'found',
  boxes: 'boxes',
  masks: 'masks',
  labels: 'names',
};

export class ShownBar {
  constructor(
    private readonly bar: HTMLElement,
    private readonly about: About,
    private readonly address: Address,
  ) {
    this.show();
  }

  /** Puts the switches as the address has them. */
  show(): void {
    const focused = document.activeElement?.id;
    if (focused === this.idOf('opacity')) return; // it is held, and shows its value itself
    this.bar.replaceChildren(...(this.about.task === 'detection' ? this.ofDetector() : this.ofSegmentor()));
    if (focused) document.getElementById(focused)?.focus();
  }

  private ofDetector(): HTMLElement[] {
    const { hidden } = this.address.view;
    const switches = DRAWN.filter((name) => name !== 'predictions' || this.about.runs.length > 0).map((name) => {
      const input = make('input', { type: 'checkbox', id: this.idOf(name), checked: !hidden.has(name) });
      input.addEventListener('change', () => {
        const next = DRAWN.filter((other) => (other === name ? !input.checked : hidden.has(other)));
        this.address.change({ hide: next.join(',') }, false);
      });
      return make('label', { for: input.id }, input, WORDS[name]);
    });
    if (this.about.runs.length === 0) return switches;
    return [...switches, this.choice('colours', 'colours tell', ['kind', 'class']), this.panes()];
  }

  private ofSegmentor(): HTMLElement[] {
    const layers = this.about.runs.length > 0 ? MAP_LAYERS : MAP_LAYERS.slice(0, 2);
    const opacity = make('input', { type: 'range', id: this.idOf('opacity'), min: 0, max: 1, step: 0.05, value: this.address.view.opacity }); // prettier-ignore
    let waits: ReturnType<typeof setTimeout> | undefined;
    opacity.addEventListener('input', () => {
      clearTimeout(waits); // browsers take a few addresses a second
      waits = setTimeout(() => this.address.change({ opacity: opacity.value }, false), 60);
    });
    return [
      this.choice('layer', 'layer', layers),
      make('label', { for: opacity.id }, 'opacity', opacity),
      ...(this.about.runs.length > 0 ? [this.panes()] : []),
    ];
  }

  private idOf(name: string): string {
    return `${this.bar.id}-${name}`;
  }

  private panes(): HTMLElement {
    return this.choice('panes', 'one image alone:', ['together', 'apart']);
  }

  private choice(name: 'colours' | 'layer' | 'panes', title: string, words: readonly string[]): HTMLElement {
    const current = this.address.view[name];
    const options = words.map((word) => make('option', { value: word, selected: word === current }, word));
    const select = make('select', { id: this.idOf(name) }, ...options);
    select.addEventListener('change', () => this.address.change({ [name]: select.value }, false));
    return make('label', { for: select.id }, title, select);
  }
}
