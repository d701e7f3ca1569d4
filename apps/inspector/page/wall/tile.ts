/** One image of the wall: its thumbnail with what is drawn on it, and a line of words. */
import type { DetectionImage, ImageDetails, SegmentationImage } from '../../src/protocol';
import { MIN_SCORE } from '../../src/detection/filter';
import { make } from '../dom';
import { drawBoxes } from '../draw/draw-objects';
import { drawMap } from '../draw/draw-map';
import { foundOf, truthOf } from '../draw/drawables';
import type { Server } from '../server';
import type { View } from '../view';

/** A tile that is scrolled by shows nothing; one that stays this long is filled. Milliseconds. */
const PATIENCE = 40;
const LINE = 2;

export class Tile {
  readonly item = make('li');
  readonly button = make('button', { type: 'button' });
  private readonly picture = make('img', { alt: '', decoding: 'async' });
  private readonly canvas = make('canvas');
  private readonly caption = make('span', { class: 'caption' });
  /** The image, and a number that grows when the tile shows another one. */
  private index = -1;
  private turn = 0;

  constructor(private readonly server: Server) {
    this.picture.addEventListener('load', () => this.picture.classList.add('loaded'));
    const frame = make('span', { class: 'frame' }, this.picture, this.canvas);
    this.button.append(frame, this.caption);
    this.item.append(this.button);
  }

  get image(): number {
    return this.index;
  }

  /** Shows an image at a place; what was drawn of another one goes at once. */
  show(index: number, view: View): void {
    this.index = index;
    const turn = ++this.turn;
    this.item.hidden = false;
    this.picture.removeAttribute('src');
    this.picture.classList.remove('loaded');
    this.caption.textContent = '';
    this.button.setAttribute('aria-label', `Image ${index}`);
    this.canvas.width = 0;
    setTimeout(() => {
      if (turn !== this.turn) return;
      this.picture.src = this.server.thumbnail(index);
      void this.redraw(view);
    }, PATIENCE);
  }

  /** Shows nothing, and waits for nothing, until it shows another image. */
  rest(): void {
    this.turn++;
    this.item.hidden = true;
    this.picture.removeAttribute('src');
  }

  /** Draws the image's objects or maps as the view has them. */
  async redraw(view: View): Promise<void> {
    const { index, turn } = this;
    try {
      const details = await this.server.image(index);
      const drawn = details.task === 'segmentation' ? await this.smallMap(details, view) : undefined;
      if (turn !== this.turn || index !== this.index) return;
      const words = details.task === 'detection' ? detectionWords(details, view) : segmentationWords(details, view);
      this.caption.textContent = `${words} · ${details.name.split('/').at(-1)}`;
      this.caption.title = this.caption.textContent;
      this.button.setAttribute('aria-label', `${details.name}: ${words}`);
      this.draw(details, view, drawn);
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
    const { canvas } = this;
    const ratio = Math.min(2, devicePixelRatio);
    const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio];
    Object.assign(canvas, { width, height });
    const scale = Math.min(width / details.width, height / details.height);
    const [left, top] = [(width - scale * details.width) / 2, (height - scale * details.height) / 2];
    const pen = canvas.getContext('2d')!;
    if (map !== undefined) {
      pen.globalAlpha = view.opacity;
      pen.imageSmoothingEnabled = false;
      pen.drawImage(map, left, top, scale * details.width, scale * details.height);
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
