/** The page's cards: a picture of each level. */
import { LEVELS, type Backbone, type Level } from '@pyramidal/nn';
import { colourMap, type View } from './colours';
import type { FeatureMap, FeatureMaps } from './features';

export type ViewKind = 'components' | 'mean' | 'channel';

/** The four pictures with their captions, one a level. */
export class MapCards {
  readonly #cards: Readonly<Record<Level, Card>>;
  #maps: FeatureMaps | undefined;
  #view: ViewKind = 'components';

  /** @param container where the cards go; @param template what one is made of. */
  constructor(container: Element, template: HTMLTemplateElement) {
    const create = (level: Level): [Level, Card] => {
      const card = new Card(container, template, level);
      card.channel.addEventListener('input', () => this.#draw(level));
      return [level, card];
    };
    this.#cards = Object.fromEntries(LEVELS.map(create)) as Record<Level, Card>;
  }

  show(maps: FeatureMaps, levels: Backbone['levels']): void {
    this.#maps = maps;
    for (const level of LEVELS) this.#cards[level].describe(maps[level], levels[level].stride);
    this.look(this.#view);
  }

  /** Draws the maps another way. */
  look(view: ViewKind): void {
    this.#view = view;
    LEVELS.forEach((level) => this.#draw(level));
  }

  #draw(level: Level): void {
    const card = this.#cards[level];
    if (!this.#maps || !card.channel.checkValidity()) return;
    const view: View = this.#view === 'channel' ? { channel: card.channel.valueAsNumber } : this.#view;
    showPicture(card.canvas, colourMap(this.#maps[level], view));
  }
}

class Card {
  readonly canvas: HTMLCanvasElement;
  readonly channel: HTMLInputElement;
  readonly #title: Element;
  readonly #shape: Element;
  readonly #range: Element;

  constructor(
    container: Element,
    template: HTMLTemplateElement,
    readonly level: Level,
  ) {
    const figure = (template.content.cloneNode(true) as DocumentFragment).firstElementChild!;
    const part = <T extends Element>(selector: string): T => figure.querySelector<T>(selector)!;
    this.canvas = part('canvas');
    this.channel = part('input');
    this.#title = part('strong');
    this.#shape = part('.shape');
    this.#range = part('.range');
    this.#title.textContent = level;
    this.channel.required = true;
    figure.id = level;
    container.append(figure);
  }

  describe({ shape, values }: FeatureMap, stride: number): void {
    const [height, width, channels] = shape;
    let [low, high, sum] = [Infinity, -Infinity, 0];
    for (const value of values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
      sum += value;
    }
    this.#title.textContent = `${this.level}, stride ${stride}`;
    this.#shape.textContent = `${height} × ${width} × ${channels}`;
    this.#range.textContent = `${low.toFixed(2)} to ${high.toFixed(2)}, mean ${(sum / values.length).toFixed(3)}`;
    this.channel.max = String(channels - 1);
    if (!this.channel.checkValidity()) this.channel.value = '0';
  }
}

/** Puts a picture on a canvas of its size. */
export function showPicture(canvas: HTMLCanvasElement, picture: ImageData): void {
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext('2d')!.putImageData(picture, 0, 0);
}
