/** Which ids were seen. */

/** Ids below this take a bit each, two megabytes at most; those of crowds in COCO are larger. */
const SMALL = 2 ** 24;
const WORD_BITS = 32;

/** A set of whole numbers, of which most are small. */
export class IdSet {
  private bits = new Uint32Array(0);
  private readonly large = new Set<number>();

  has(id: number): boolean {
    if (!isSmall(id)) return this.large.has(id);
    return (((this.bits[id >>> 5] ?? 0) >>> (id & 31)) & 1) !== 0;
  }

  add(id: number): void {
    if (!isSmall(id)) {
      this.large.add(id);
      return;
    }
    const word = id >>> 5;
    if (word >= this.bits.length) this.grow(word + 1);
    this.bits[word] = (this.bits[word] as number) | (1 << (id & 31));
  }

  private grow(words: number): void {
    const grown = new Uint32Array(Math.min(2 * words, SMALL / WORD_BITS));
    grown.set(this.bits);
    this.bits = grown;
  }
}

function isSmall(id: number): boolean {
  return id >= 0 && id < SMALL;
}
