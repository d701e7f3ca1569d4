/** Which sizes of batches run as graphs. */

/** A graph of so many pixels saves more time at its first batch than recording it takes. */
const LARGE = 512 * 512;

/** Decides by the sizes that come which of them are worth a graph; the first of those get one, for photographs may have hundreds of sizes. */
export class GraphSizes {
  /** How often each size came. */
  private readonly counts = new Map<string, number>();
  private readonly worthy = new Set<string>();

  /**
   * @param most how many graphs there may be.
   * @param times a size that is not large is worth a graph when it comes for this time.
   */
  constructor(
    private readonly most: number,
    private readonly times: number,
  ) {}

  /** Whether the batch that comes now, images [N, H, W, ...], runs as a graph. */
  takes(shape: readonly number[]): boolean {
    const key = shape.join();
    const count = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, count);
    const [images = 0, height = 0, width = 0] = shape;
    const isWorthy = images * height * width >= LARGE || count >= this.times;
    if (isWorthy && this.worthy.size < this.most) this.worthy.add(key);
    return this.worthy.has(key);
  }
}
