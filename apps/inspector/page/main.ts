/** The inspector's page: a wall of images, a filter, one image alone, and the numbers; the address tells which. */
import { element } from './dom';
import { FilterForm } from './filter-form';
import { ImageView } from './image/image-view';
import { showNumbers } from './numbers/numbers';
import { Server } from './server';
import { ShownBar } from './shown-bar';
import { Address, type View } from './view';
import { Wall } from './wall/wall';

/** What of a selection may be saved. */
const FILES = {
  detection: { annotations: 'Save the images as COCO JSON', detections: 'Save the detections as COCO results' },
  segmentation: { images: 'Save the names of the images' },
} as const;

async function start(): Promise<void> {
  const server = await Server.open();
  const { about } = server;
  const address = new Address(about.task, about.runs.length);
  document.title = `${about.title} · Inspector`;
  element('title').textContent = about.title;

  const wall = new Wall(element('wall'), server, (image) => address.change({ image }));
  const imageView = new ImageView(server, address, wall);
  const form = new FilterForm(element('filter'), about, address, FILES[about.task]);
  const bars = [element('shown'), imageView.bar].map((bar) => new ShownBar(bar, about, address));
  let filter: string | undefined;
  let drawn: string | undefined;

  async function render(): Promise<void> {
    const { view } = address;
    showPage(view, address);
    if (view.page === 'numbers' && !element('numbers').hasChildNodes())
      showNumbers(element('numbers'), server, address);
    if (view.filter.toString() !== filter) {
      filter = view.filter.toString();
      form.show();
      const { images, counts } = await server.select(view.filter);
      if (filter !== address.view.filter.toString()) return; // another filter was chosen meanwhile
      wall.show(images, view);
      tell(`${images.length} of ${about.images} images${describe(counts)}`);
    } else if (drawn !== drawnBy(view)) {
      wall.redraw(view);
    }
    drawn = drawnBy(view);
    for (const bar of bars) bar.show();
    await imageView.show(view);
  }

  const attempt = (): void => void render().catch(failed);
  address.onChange(attempt);
  attempt();
}

/** What of a view a tile depends on, the filter aside. */
const drawnBy = ({ hidden, colours, layer, opacity }: View): string => [...hidden, colours, layer, opacity].join();

function showPage({ page }: View, address: Address): void {
  element('images').hidden = page !== 'images';
  element('filter').hidden = page !== 'images';
  element('numbers').hidden = page !== 'numbers';
  document.body.dataset['view'] = page;
  for (const name of ['images', 'numbers'] as const) {
    const link = element<HTMLAnchorElement>(`to-${name}`);
    if (page === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const query = address.query;
  query.delete('view');
  element<HTMLAnchorElement>('to-images').setAttribute('href', `?${query}`);
  query.set('view', 'numbers');
  element<HTMLAnchorElement>('to-numbers').setAttribute('href', `?${query}`);
}

const describe = (counts: Readonly<Record<string, number>>): string => {
  const words = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return words.length === 0 ? '' : `: ${words.join(', ')}`;
};

function tell(message: string): void {
  element('status').textContent = message;
  element('status').title = message;
  document.body.dataset['state'] = 'ready';
}

function failed(error: unknown): void {
  element('status').textContent = (error as Error).message;
  document.body.dataset['state'] = 'failed';
}

start().catch(failed);
