/** A wall of images of which only those on the screen are in the page, however many there are. */
import { make } from '../dom';
import type { Server } from '../server';
import type { View } from '../view';
import { GAP, gridOf, shownRange, stepTo, type Grid } from './grid';
import { Tile } from './tile';

/** Screens a second from which on nobody looks at single pictures, and milliseconds until they do again. */
const [HASTE, REST] = [4, 120];

export class Wall {
  private readonly list = make('ul', { class: 'tiles' });
  /** Tiles by the place that they show. */
  private readonly tiles = new Map<number, Tile>();
  private readonly spare: Tile[] = [];
  private images: readonly number[] = [];
  private grid: Grid = gridOf(1, 0);
  private view: View | undefined;
  /** The one that the keyboard is at. */
  private current = 0;
  private isPlanned = false;
  /** Where it was scrolled to last, when, and how long that counts as haste. */
  private top = 0;
  private scrolledAt = 0;
  private hastyUntil = 0;

  /** @param scroller what is scrolled. @param open called with the image that is chosen. */
  constructor(
    private readonly scroller: HTMLElement,
    private readonly server: Server,
    private readonly open: (image: number) => void,
  ) {
    scroller.append(this.list);
    scroller.addEventListener('scroll', () => this.plan(), { passive: true });
    new ResizeObserver(() => this.resize()).observe(scroller);
    this.list.addEventListener('click', (event) => this.choose(event));
    this.list.addEventListener('keydown', (event) => this.step(event));
  }

  /** Shows other images from the top. */
  show(images: readonly number[], view: View): void {
    this.images = images;
    this.view = view;
    this.current = 0;
    for (const place of [...this.tiles.keys()]) this.takeOff(place);
    this.scroller.scrollTop = 0;
    this.resize();
  }

  /** Draws the same images as another view has them. */
  redraw(view: View): void {
    this.view = view;
    for (const tile of this.tiles.values()) void tile.redraw(view);
  }

  /** The image after or before another one, of those that the wall shows. */
  neighbour(image: number, step: -1 | 1): number | undefined {
    const place = this.images.indexOf(image);
    return place < 0 ? this.images[0] : this.images[place + step];
  }

  placeOf(image: number): number {
    return this.images.indexOf(image);
  }

  /** Brings an image to the screen and the keyboard to it. */
  focus(image: number): void {
    const place = this.images.indexOf(image);
    if (place >= 0) this.moveTo(place);
  }

  private resize(): void {
    if (this.scroller.clientWidth === 0) return; // another page is shown
    const before = this.grid;
    const style = getComputedStyle(this.scroller);
    const width = this.scroller.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    this.grid = gridOf(Math.max(1, width), this.images.length);
    this.list.style.height = `${this.grid.rows * this.grid.rowHeight}px`;
    for (const [place, tile] of this.tiles) this.put(tile, place);
    if (before.tileWidth !== this.grid.tileWidth && this.view !== undefined) this.redraw(this.view);
    this.fill();
  }

  /** Once a frame. */
  private plan(): void {
    if (this.isPlanned) return;
    this.isPlanned = true;
    requestAnimationFrame(() => {
      this.isPlanned = false;
      this.noteSpeed();
      this.fill();
    });
  }

  private noteSpeed(): void {
    const [now, { scrollTop, clientHeight }] = [performance.now(), this.scroller];
    const screens = (1000 * Math.abs(scrollTop - this.top)) / (now - this.scrolledAt) / clientHeight;
    if (screens > HASTE) this.hastyUntil = now + REST;
    [this.top, this.scrolledAt] = [scrollTop, now];
  }

  private fill(): void {
    const { scrollTop: top, clientHeight: height } = this.scroller;
    const [from, to] = shownRange(this.grid, { top, height, images: this.images.length });
    for (const place of [...this.tiles.keys()]) {
      const isFocused = this.tiles.get(place)!.button === document.activeElement;
      if ((place < from || place >= to) && !isFocused) this.takeOff(place);
    }
    for (let place = from; place < to; place++) if (!this.tiles.has(place)) this.putOn(place);
  }

  private putOn(place: number): void {
    const tile = this.spare.pop() ?? new Tile(this.server, () => performance.now() < this.hastyUntil);
    if (!tile.item.isConnected) this.list.append(tile.item);
    this.put(tile, place);
    tile.item.setAttribute('aria-setsize', String(this.images.length));
    tile.item.setAttribute('aria-posinset', String(place + 1));
    tile.button.tabIndex = place === this.current ? 0 : -1;
    tile.show(this.images[place]!, this.view!);
    this.tiles.set(place, tile);
  }

  private put({ item }: Tile, place: number): void {
    const { columns, tileWidth, rowHeight } = this.grid;
    const [x, y] = [(place % columns) * (tileWidth + GAP), Math.floor(place / columns) * rowHeight];
    item.style.transform = `translate(${x}px, ${y}px)`;
    item.style.width = `${tileWidth}px`;
    item.style.height = `${rowHeight - GAP}px`;
  }

  private takeOff(place: number): void {
    const tile = this.tiles.get(place)!;
    this.tiles.delete(place);
    tile.rest();
    this.spare.push(tile);
  }

  private choose({ target }: Event): void {
    const button = target instanceof Element ? target.closest('button') : null;
    for (const [place, tile] of this.tiles) {
      if (tile.button !== button) continue;
      this.moveTo(place);
      this.open(tile.image);
    }
  }

  private step(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.grid.rowHeight));
    const next = stepTo(event.key, this.current, { ...this.grid, images: this.images.length, page });
    if (next === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.moveTo(next);
  }

  private moveTo(place: number): void {
    this.setTabStop(this.current, -1);
    this.current = place;
    const top = Math.floor(place / this.grid.columns) * this.grid.rowHeight;
    const { scroller } = this;
    const beneath = top + this.grid.rowHeight - scroller.clientHeight;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (beneath > scroller.scrollTop) scroller.scrollTop = beneath;
    this.fill();
    this.setTabStop(place, 0);
    this.tiles.get(place)?.button.focus({ preventScroll: true });
  }

  private setTabStop(place: number, tabIndex: number): void {
    const tile = this.tiles.get(place);
    if (tile !== undefined) tile.button.tabIndex = tabIndex;
  }
}
