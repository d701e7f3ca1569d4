import { Float64Column, Uint32Column } from './columns';

const WORD_BITS = 32;

/**
 * What accumulation needs of every detection, and nothing more: its score and, for each area range and threshold, one bit
 * for matched and one for ignored. So memory does not grow with boxes and masks.
 */
export class MatchStore {
  readonly categories: CategoryMatches[];
  /** 32-bit words for the thresholds' bits. */
  readonly words: number;
  /** Words of one detection: for each area range the matched bits, then the ignored bits. */
  readonly stride: number;

  constructor(
    categoryCount: number,
    readonly areaCount: number,
    readonly thresholdCount: number,
  ) {
    this.words = Math.ceil(thresholdCount / WORD_BITS);
    this.stride = 2 * this.words * areaCount;
    this.categories = Array.from({ length: categoryCount }, () => new CategoryMatches(areaCount));
  }

  /** Begins an image's detections in a category; they follow by `addDetection`, best first. */
  beginImage(category: number, imageId: number): CategoryMatches {
    const matches = this.categories[category] as CategoryMatches;
    matches.imageIds.push(imageId);
    matches.imageStarts.push(matches.scores.length);
    return matches;
  }

  /** Adds a detection whose bits are all 0. @returns where its words start. */
  addDetection(matches: CategoryMatches, score: number): number {
    matches.scores.push(score);
    const at = matches.bits.length;
    matches.bits.reserve(this.stride);
    matches.bits.data.fill(0, at, at + this.stride);
    matches.bits.length += this.stride;
    return at;
  }

  setMatched(matches: CategoryMatches, at: number, area: number, threshold: number): void {
    this.setBit(matches, at + 2 * this.words * area, threshold);
  }

  setIgnored(matches: CategoryMatches, at: number, area: number, threshold: number): void {
    this.setBit(matches, at + (2 * area + 1) * this.words, threshold);
  }

  /** Sets the ignored bits of all thresholds. */
  ignoreAlways(matches: CategoryMatches, at: number, area: number): void {
    const word = at + (2 * area + 1) * this.words;
    matches.bits.data.fill(0xffffffff, word, word + this.words);
  }

  /** Adds the images of another store. */
  append(other: MatchStore): void {
    this.categories.forEach((matches, k) => matches.append(other.categories[k] as CategoryMatches));
  }

  private setBit(matches: CategoryMatches, word: number, threshold: number): void {
    const at = word + (threshold >>> 5);
    matches.bits.data[at] = matches.bits.get(at) | (1 << (threshold & 31));
  }
}

/** The detections of one category, image after image. */
export class CategoryMatches {
  /** Objects to be found, by area range. */
  readonly objects: Uint32Array;
  readonly imageIds = new Float64Column();
  readonly imageStarts = new Uint32Column();
  readonly scores = new Float64Column();
  readonly bits = new Uint32Column();

  constructor(areaCount: number) {
    this.objects = new Uint32Array(areaCount);
  }

  get length(): number {
    return this.scores.length;
  }

  append(other: CategoryMatches): void {
    const first = this.length;
    for (const start of other.imageStarts.values()) this.imageStarts.push(first + start);
    this.imageIds.append(other.imageIds.values());
    this.scores.append(other.scores.values());
    this.bits.append(other.bits.values());
    other.objects.forEach((count, a) => (this.objects[a] = (this.objects[a] as number) + count));
  }
}
