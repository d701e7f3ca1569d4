/** Large images one at a time: what is found in one, and what is drawn of it, may need hundreds of megabytes. */
import { collectGarbage, readImageHeader } from '@pyramidal/images';

/** Pixels of an image that is worth more memory than time. */
const LARGE = 25_000_000;

/** Hands images out; a large one when all before it are done with, and what follows it when it is. */
export class PacedImages {
  private handedOut = 0;
  private done = 0;
  private wake: (() => void) | undefined;

  constructor(private readonly images: readonly string[]) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, void> {
    for (const image of this.images) {
      const isLarge = (await pixelsOf(image)) > LARGE;
      if (isLarge) await this.allDone();
      this.handedOut++;
      yield image;
      if (!isLarge) continue;
      await this.allDone();
      await collectGarbage();
    }
  }

  /** One more of them is done with. */
  finish(): void {
    this.done++;
    if (this.done === this.handedOut) this.wake?.();
  }

  private async allDone(): Promise<void> {
    if (this.done < this.handedOut) await new Promise<void>((resolve) => (this.wake = resolve));
  }
}

/** 0 of what cannot be read, which is told when it is decoded. */
async function pixelsOf(image: string): Promise<number> {
  try {
    const { width, height } = await readImageHeader(image);
    return width * height;
  } catch {
    return 0;
  }
}
