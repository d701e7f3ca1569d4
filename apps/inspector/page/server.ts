/** What the page asks the server. */
import type { About, Curve, ImageDetails, Selection } from '../src/protocol';

/** Images whose details are kept. */
const KEPT = 500;

export class Server {
  private readonly details = new Map<string, Promise<ImageDetails>>();

  private constructor(readonly about: About) {}

  static async open(): Promise<Server> {
    return new Server(await ask<About>('/api/about'));
  }

  select(filter: URLSearchParams): Promise<Selection> {
    return ask(`/api/selection?${filter}`);
  }

  curve(run: number, label: number | undefined): Promise<Curve> {
    return ask(`/api/curve?run=${run}${label === undefined ? '' : `&class=${label}`}`);
  }

  /** Without masks, as the wall shows it. */
  image(index: number): Promise<ImageDetails> {
    return this.kept(`/api/images/${index}`);
  }

  maskedImage(index: number): Promise<ImageDetails> {
    return this.kept(`/api/masked-images/${index}`);
  }

  private kept(address: string): Promise<ImageDetails> {
    const kept = this.details.get(address);
    if (kept !== undefined) return kept;
    const asked = ask<ImageDetails>(address);
    asked.catch(() => this.details.delete(address)); // so that it can be asked for again
    this.details.set(address, asked);
    const [oldest] = this.details.keys();
    if (this.details.size > KEPT) this.details.delete(oldest!);
    return asked;
  }

  thumbnail(index: number): string {
    return this.versioned(`/thumbnails/${index}`);
  }

  picture(index: number): string {
    return this.versioned(`/pictures/${index}`);
  }

  /** The class of each pixel. */
  async map(index: number, layer: string, isSmall: boolean): Promise<Uint8Array<ArrayBuffer>> {
    const address = this.versioned(`/${isSmall ? 'small-maps' : 'maps'}/${index}/${layer}`);
    return new Uint8Array(await (await fetched(address)).arrayBuffer());
  }

  private versioned(address: string): string {
    return `${address}?v=${this.about.version}`;
  }
}

async function ask<T>(address: string): Promise<T> {
  return (await (await fetched(address)).json()) as T;
}

/** @throws Error with the server's own line. */
async function fetched(address: string): Promise<Response> {
  const answer = await fetch(address);
  if (answer.ok) return answer;
  const { error } = (await answer.json()) as { error: string };
  throw new Error(error);
}
