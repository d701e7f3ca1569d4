/** One image of the wall: its thumbnail with what is drawn on it, and a line of words. */
import type { DetectionImage, ImageDetails, SegmentationImage } from '../../src/protocol';
import { MIN_SCORE } from '../../src/detection/filter';
import { make } from '../dom';
import { drawBoxes } from '../draw/draw-objects';
import { drawMap } from '../draw/draw-map';
import { foundOf, truthOf } from '../draw/drawables';
import type { Server } from '../server';
import type { View } from '../view';

/** A tile is filled when it has stood for so many milliseconds, and nobody scrolls in haste. */
const PATIENCE = 40;
const LINE = 2;

export class Tile {
  readonly item = make('li');
  readonly button = make('button', { type: 'button' });
  /** Holds the thumbnail too: one surface is painted once while the wall is scrolled. */
  private readonly canvas = make('canvas');
  private readonly caption = make('span', { class: 'caption' });
  private picture = new Image();
  private details: ImageDetails | undefined;
  private view: View | undefined;
  /** The image, and a number that grows when the tile shows another one. */
  private index = -1;
  private turn = 0;

  /** @param isHasty whether the wall is scrolled so fast that nobody looks at its pictures. */
  constructor(
    private readonly server: Server,
    private readonly isHasty: () => boolean,
  ) {
    this.button.append(make('span', { class: 'frame' }, this.canvas), this.caption);
    this.item.append(this.button);
  }

  get image(): number {
    return this.index;
  }

  /** Shows an image at a place; what was drawn of another one goes at once. */
  show(index: number, view: View): void {
    this.rest();
    this.index = index;
    this.view = view;
    this.item.hidden = false;
    this.item.removeAttribute('data-drawn');
    this.canvas.width = 0;
    this.caption.textContent = '';
    this.button.setAttribute('aria-label', `Image ${index}`);
    this.fillLater(this.turn);
  }

  /** Shows nothing, and waits for nothing, until it shows another image. */
  rest(): void {
    this.turn++;
    this.item.hidden = true;
    this.details = undefined;
    this.picture.removeAttribute('src'); // what is on its way is not needed any more
  }

  /** Draws the image as the view has it, when it is there. */
  async redraw(view: View): Promise<void> {
    const { turn, details } = this;
    this.view = view;
    if (details === undefined) return;
    const map = details.task === 'segmentation' ? await this.smallMap(details, view) : undefined;
    if (turn !== this.turn) return;
    const words = details.task === 'detection' ? detectionWords(details, view) : segmentationWords(details, view);
    this.caption.textContent = `${words} · ${details.name.split('/').at(-1)}`;
    this.caption.title = this.caption.textContent;
    this.button.setAttribute('aria-label', `${details.name}: ${words}`);
    this.draw(details, view, map);
    this.item.dataset['drawn'] = '';
  }

  private fillLater(turn: number): void {
    setTimeout(() => {
      if (turn !== this.turn) return;
      if (this.isHasty()) this.fillLater(turn);
      else void this.fill(turn);
    }, PATIENCE);
  }

  private async fill(turn: number): Promise<void> {
    const picture = new Image();
    this.picture = picture;
    picture.src = this.server.thumbnail(this.index);
    try {
      const [details] = await Promise.all([this.server.image(this.index), whenLoaded(picture)]);
      if (turn !== this.turn) return;
      this.details = details;
      await this.redraw(this.view!);
    } catch (error) {
      if (turn === this.turn) this.caption.textContent = (error as Error).message;
    }
  }

  private async smallMap(details: SegmentationImage, view: View): Promise<HTMLCanvasElement | undefined> {
    const { small, runs, index } = details;
    const run = Number(view.filter.get('run') ?? 0);
    if (view.layer === 'picture') return undefined;
    const label = await this.server.map(index, 'label', true);
    const prediction = runs[run] && (await this.server.map(index, String(run), true));
    return drawMap({ ...small, label, prediction }, view.layer, this.server.about.classes);
  }

  private draw(details: ImageDetails, view: View, map: HTMLCanvasElement | undefined): void {
    const { canvas, picture } = this;
    const ratio = Math.min(2, devicePixelRatio);
    const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio];
    Object.assign(canvas, { width, height });
    const scale = Math.min(width / details.width, height / details.height);
    const [left, top] = [(width - scale * details.width) / 2, (height - scale * details.height) / 2];
    const place = [left, top, scale * details.width, scale * details.height] as const;
    const pen = canvas.getContext('2d')!;
    if (picture.naturalWidth > 0) pen.drawImage(picture, ...place);
    if (map !== undefined) {
      pen.globalAlpha = view.opacity;
      pen.imageSmoothingEnabled = false;
      pen.drawImage(map, ...place);
    }
    if (details.task === 'segmentation' || view.hidden.has('boxes')) return;
    const run = Number(view.filter.get('run') ?? 0);
    const { about } = this.server;
    const drawables = [
      ...(view.hidden.has('truth') ? [] : truthOf(details, view, about, run)),
      ...(view.hidden.has('predictions') ? [] : foundOf(details, view, about, run)),
    ];
    drawBoxes(pen, drawables, { left, top, scale }, LINE * ratio);
  }
}

/** A picture that cannot be read has no size; what is known of its image is shown all the same. */
const whenLoaded = (picture: HTMLImageElement): Promise<void> => picture.decode().catch(() => undefined);

function detectionWords({ objects, runs }: DetectionImage, view: View): string {
  const run = runs[Number(view.filter.get('run') ?? 0)];
  const count = `${objects.length} objects`;
  if (run === undefined) return count;
  const sure = run.detections.filter(({ score, kind }) => score >= MIN_SCORE && kind !== 'ignored');
  const wrong = sure.filter(({ kind }) => kind !== 'match').length;
  return `${count}, ${wrong} wrong, ${run.missed.length} missed`;
}

function segmentationWords({ runs }: SegmentationImage, view: View): string {
  const run = runs[Number(view.filter.get('run') ?? 0)];
  if (run === undefined) return 'labelled';
  return `${((100 * run.wrong) / Math.max(1, run.pixels)).toFixed(1)} % wrong`;
}
