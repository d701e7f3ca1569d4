/** One drawing of an image that can be enlarged and moved. */
import { make } from '../dom';
import type { Placement } from '../draw/draw-objects';
import { columnsOf, FITTED, panned, placementOf, type Zoom, zoomed } from './zoom';

/** What a pane shows. */
export interface Scene {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  /** @param line the width of lines on this screen. */
  draw(pen: CanvasRenderingContext2D, placement: Placement, line: number): void;
}

/** Panes beside each other, which are enlarged and moved together. */
export class Panes {
  readonly element = make('div', { class: 'panes' });
  private zoom = FITTED;
  private panes: readonly { readonly canvas: HTMLCanvasElement; readonly scene: Scene }[] = [];

  constructor() {
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  /** @param keepsZoom whether the same image is shown in another way. */
  show(scenes: readonly Scene[], keepsZoom: boolean): void {
    if (!keepsZoom) this.zoom = FITTED;
    this.panes = scenes.map((scene) => {
      const canvas = make('canvas', { role: 'img', 'aria-label': scene.title });
      this.listen(canvas, scene);
      return { canvas, scene };
    });
    const figures = this.panes.map(({ canvas, scene }) =>
      make('figure', {}, canvas, make('figcaption', {}, scene.title)),
    );
    this.element.replaceChildren(...figures);
    this.draw();
  }

  enlarge(factor: number): void {
    const [pane] = this.panes;
    if (pane !== undefined) this.set(zoomed(this.zoom, factor, { image: pane.scene, pane: sizeOf(pane.canvas) }));
  }

  move(right: number, down: number): void {
    const [pane] = this.panes;
    if (pane !== undefined) this.set(panned(this.zoom, right, down, pane.scene, sizeOf(pane.canvas)));
  }

  fit(): void {
    this.set(FITTED);
  }

  private set(zoom: Zoom): void {
    this.zoom = zoom;
    this.element.dataset['scale'] = zoom.scale.toFixed(2);
    this.draw();
  }

  draw(): void {
    const [first] = this.panes;
    if (first === undefined) return;
    const columns = columnsOf(this.panes.length, first.scene, sizeOf(this.element));
    this.element.style.gridTemplateColumns = `repeat(${columns}, 1fr)`;
    const ratio = Math.min(2, devicePixelRatio);
    for (const { canvas, scene } of this.panes) {
      const { width, height } = sizeOf(canvas);
      Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
      const placement = placementOf(this.zoom, scene, { width: canvas.width, height: canvas.height });
      scene.draw(canvas.getContext('2d')!, placement, ratio);
    }
  }

  private listen(canvas: HTMLCanvasElement, scene: Scene): void {
    canvas.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        const at = { x: event.offsetX, y: event.offsetY };
        this.set(zoomed(this.zoom, Math.exp(-event.deltaY / 300), { image: scene, pane: sizeOf(canvas), at }));
      },
      { passive: false },
    );
    canvas.addEventListener('pointerdown', (event) => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener('pointermove', (event) => {
      if (event.buttons !== 1) return;
      this.set(panned(this.zoom, event.movementX, event.movementY, scene, sizeOf(canvas)));
    });
    canvas.addEventListener('dblclick', () => this.fit());
  }
}

const sizeOf = ({ clientWidth, clientHeight }: HTMLElement) => ({
  width: Math.max(1, clientWidth),
  height: Math.max(1, clientHeight),
});
