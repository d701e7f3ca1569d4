/** One image alone: enlarged, moved, with all that is known of it in words beside. */
import type { ImageDetails } from '../../src/protocol';
import { button, element, make } from '../dom';
import type { Server } from '../server';
import type { Address, View } from '../view';
import { describeImage } from './describe-image';
import { Panes } from './pane';
import { detectionScenes, segmentationScenes } from './scenes';

const STEP = 1.5;
/** Pixels. */
const MOVE = 60;

/** What the view needs of the wall. */
interface Neighbours {
  neighbour(image: number, step: -1 | 1): number | undefined;
  placeOf(image: number): number;
  focus(image: number): void;
}

export class ImageView {
  private readonly dialog = element<HTMLDialogElement>('image');
  /** For the switches of what is drawn. */
  readonly bar = make('div', { id: 'shown-alone', class: 'bar', role: 'group', 'aria-label': 'What is drawn' });
  private readonly name = make('h2', { id: 'image-name' });
  private readonly panes = new Panes();
  private readonly words = make('div', { class: 'words' });
  /** The image on the screen, and a number that grows with every change. */
  private shown = -1;
  private turn = 0;

  constructor(
    private readonly server: Server,
    private readonly address: Address,
    private readonly wall: Neighbours,
  ) {
    const tools = make(
      'div',
      { class: 'bar', role: 'group', 'aria-label': 'Image' },
      button('←', 'Previous image', () => this.go(-1)),
      button('→', 'Next image', () => this.go(1)),
      button('−', 'Smaller', () => this.panes.enlarge(1 / STEP)),
      button('+', 'Larger', () => this.panes.enlarge(STEP)),
      button('Fit', 'Fit to the window', () => this.panes.fit()),
      button('✕', 'Close', () => this.close()),
    );
    this.panes.element.tabIndex = 0;
    this.panes.element.setAttribute('aria-label', 'Picture; plus and minus enlarge, shift and arrows move');
    this.panes.element.setAttribute('role', 'group');
    this.dialog.append(
      make('header', {}, this.name, this.bar, tools),
      make('div', { class: 'split' }, this.panes.element, this.words),
    );
    this.dialog.addEventListener('keydown', (event) => this.press(event));
    this.dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      this.close();
    });
  }

  /** Opens, changes or closes as the view has it. */
  async show(view: View): Promise<void> {
    const turn = ++this.turn;
    const { image } = view;
    if (image === undefined) {
      if (this.dialog.open) this.dialog.close();
      if (this.shown >= 0) this.wall.focus(this.shown);
      this.shown = -1;
      return;
    }
    if (!this.dialog.open) {
      this.dialog.showModal();
      this.panes.element.focus();
    }
    const isSame = image === this.shown;
    this.shown = image;
    if (!isSame) this.dialog.removeAttribute('data-ready');
    try {
      const details = await this.server.maskedImage(image);
      const picture = await this.picture(image);
      const scenes = await this.scenes(details, picture, view);
      if (turn !== this.turn) return;
      const place = this.wall.placeOf(image);
      this.name.textContent = place < 0 ? details.name : `${details.name} · ${place + 1}`;
      this.panes.show(scenes, isSame);
      this.words.replaceChildren(...describeImage(details, view, this.server.about));
      this.dialog.dataset['ready'] = String(image);
    } catch (error) {
      if (turn === this.turn) this.name.textContent = (error as Error).message;
    }
  }

  private async scenes(details: ImageDetails, picture: HTMLImageElement, view: View) {
    const { about } = this.server;
    if (details.task === 'detection') return detectionScenes(details, picture, view, about);
    const label = await this.server.map(details.index, 'label', false);
    const runs = about.runs.map((_, run) => this.server.map(details.index, String(run), false));
    return segmentationScenes(details, picture, { label, predictions: await Promise.all(runs) }, view, about);
  }

  private async picture(index: number): Promise<HTMLImageElement> {
    const picture = new Image();
    picture.src = this.server.picture(index);
    try {
      await picture.decode();
    } catch {
      throw new Error(`image ${index}: its picture cannot be read`); // the browser says no more
    }
    return picture;
  }

  private go(step: -1 | 1): void {
    const next = this.wall.neighbour(this.shown, step);
    if (next !== undefined) this.address.change({ image: next }, false);
  }

  private close(): void {
    this.address.change({ image: undefined });
  }

  private press(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || isControl(event.target)) return;
    const act = event.shiftKey ? this.moves[event.key] : this.keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  private readonly keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => this.go(-1),
    ArrowRight: () => this.go(1),
    '+': () => this.panes.enlarge(STEP),
    '=': () => this.panes.enlarge(STEP),
    '-': () => this.panes.enlarge(1 / STEP),
    '0': () => this.panes.fit(),
  };

  private readonly moves: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => this.panes.move(MOVE, 0),
    ArrowRight: () => this.panes.move(-MOVE, 0),
    ArrowUp: () => this.panes.move(0, MOVE),
    ArrowDown: () => this.panes.move(0, -MOVE),
    '+': () => this.panes.enlarge(STEP), // where plus needs shift
  };
}

/** Arrows change what these hold. */
const isControl = (target: EventTarget | null): boolean =>
  target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && target.type === 'range');
