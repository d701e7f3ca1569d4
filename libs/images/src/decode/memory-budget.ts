/** Bounds the memory of pictures that are in work at the same time. */
import type { ImageHeader } from './header';

/** Of RGB. */
const PIXEL_BYTES = 3;

/** Bytes that a picture may need: its pixels, and what its decoder holds of them. */
export function pictureBytes({ width, height, heldBytes }: ImageHeader): number {
  return width * height * (PIXEL_BYTES + heldBytes);
}

/** Lets pictures in, in the order of their coming, while what they need together stays within a budget; one that needs more, alone. */
export class MemoryBudget {
  private readonly waiting: { readonly bytes: number; readonly enter: () => void }[] = [];
  private inWork = 0;

  /** @param bytes by default as many as four pictures of 12 megapixels need. */
  constructor(private readonly bytes = 150_000_000) {}

  /** Waits until there is room. @returns what makes room again, for those who come after. */
  async enter(bytes: number): Promise<() => void> {
    await new Promise<void>((enter) => {
      this.waiting.push({ bytes, enter });
      this.letIn();
    });
    return () => {
      this.inWork -= bytes;
      this.letIn();
    };
  }

  private letIn(): void {
    for (let [next] = this.waiting; next !== undefined; [next] = this.waiting) {
      if (this.inWork > 0 && this.inWork + next.bytes > this.bytes) return;
      this.waiting.shift();
      this.inWork += next.bytes;
      next.enter();
    }
  }
}
