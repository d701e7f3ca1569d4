/** Images one after the other or several at once, as memory allows: what is found in one, and drawn of it, needs some too. */
import { collectGarbage, MemoryBudget, pictureBytes, readImageHeader } from '@pyramidal/images';
import { engineBackend } from '@pyramidal/kernels/engine';

/** Bytes of an image that is worth a look for unused memory, which takes some milliseconds. */
const LARGE = 75_000_000;

/** Hands images out, each as soon as there is room beside those before it that are not done with. */
export class PacedImages {
  private readonly budget = new MemoryBudget();
  private readonly inWork: (() => void)[] = [];

  constructor(private readonly images: readonly string[]) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, void> {
    let before = 0;
    for (const image of this.images) {
      const bytes = await bytesUnlessUnreadable(image);
      this.inWork.push(await this.budget.enter(bytes));
      if (Math.max(before, bytes) >= LARGE) await freeMemory();
      before = bytes;
      yield image;
    }
  }

  /** The first of those in work is done with. */
  finish(): void {
    this.inWork.shift()?.();
  }
}

/** Of what the images before have left in JavaScript's heap and in the engine's. */
async function freeMemory(): Promise<void> {
  await collectGarbage();
  engineBackend()?.binding.sessions?.trimHeap();
}

/** 0 of what cannot be read, which is told when it is decoded. */
async function bytesUnlessUnreadable(image: string): Promise<number> {
  try {
    return pictureBytes(await readImageHeader(image));
  } catch {
    return 0;
  }
}
