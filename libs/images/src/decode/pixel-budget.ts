/** Bounds the memory of pictures that are decoded at the same time. */

/** Lets jobs run while their pixels together stay within a budget, in the order of their coming; a larger one runs alone. */
export class PixelBudget {
  private readonly waiting: { readonly pixels: number; readonly start: () => void }[] = [];
  private inWork = 0;

  constructor(private readonly pixels: number) {}

  async use<T>(pixels: number, job: () => Promise<T>): Promise<T> {
    await new Promise<void>((start) => {
      this.waiting.push({ pixels, start });
      this.startNext();
    });
    try {
      return await job();
    } finally {
      this.inWork -= pixels;
      this.startNext();
    }
  }

  private startNext(): void {
    for (let [next] = this.waiting; next !== undefined; [next] = this.waiting) {
      if (this.inWork > 0 && this.inWork + next.pixels > this.pixels) return;
      this.waiting.shift();
      this.inWork += next.pixels;
      next.start();
    }
  }
}
