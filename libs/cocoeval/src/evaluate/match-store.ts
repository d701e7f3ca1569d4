/** The matches of all detections, packed: what pycocotools keeps in `evalImgs`. */
import { Float64Column, Uint32Column } from '../format/columns';

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

  /** How many detections there are. */
  get length(): number {
    return this.categories.reduce((sum, { length }) => sum + length, 0);
  }

  /** Begins an image's detections in a category; they follow by `addDetection`, best first. */
  beginImage(category: number, imageId: number): CategoryMatches {
    const matches = this.categories[category] as CategoryMatches;
    matches.imageIds.push(imageId);
    matches.imageStarts.push(matches.scores.length);
    return matches;
  }

  /** Adds detections whose bits are all 0. @returns where the words of the first start; those of the others follow. */
  addDetections(matches: CategoryMatches, indices: ArrayLike<number>, scores: ArrayLike<number>): number {
    for (let i = 0; i < indices.length; i++) matches.scores.push(scores[indices[i] as number] as number);
    const at = matches.bits.length;
    const words = this.stride * indices.length;
    matches.bits.reserve(words);
    matches.bits.data.fill(0, at, at + words);
    matches.bits.length += words;
    return at;
  }

  /** Sets the ignored bits of all thresholds. @param word where a detection's bits in an area range begin. */
  ignoreAlways(matches: CategoryMatches, word: number): void {
    for (let i = 0; i < this.words; i++) matches.bits.data[word + this.words + i] = 0xffffffff;
  }

  /** Adds the images of another store. */
  append(other: MatchStore): void {
    this.categories.forEach((matches, k) => matches.append(other.categories[k] as CategoryMatches));
  }

  /** Everything in plain arrays, to be sent to another thread. */
  pack(): PackedMatches {
    const { areaCount, thresholdCount, categories } = this;
    return { areaCount, thresholdCount, categories: categories.map((matches) => matches.pack()) };
  }

  static unpack({ areaCount, thresholdCount, categories }: PackedMatches): MatchStore {
    const store = new MatchStore(0, areaCount, thresholdCount);
    for (const packed of categories) store.categories.push(new CategoryMatches(areaCount, packed));
    return store;
  }
}

/** A store as plain arrays. */
export interface PackedMatches {
  readonly areaCount: number;
  readonly thresholdCount: number;
  readonly categories: readonly PackedCategory[];
}

/** The detections of one category as plain arrays. */
export interface PackedCategory {
  readonly objects: Uint32Array;
  readonly imageIds: Float64Array;
  readonly imageStarts: Uint32Array;
  readonly scores: Float64Array;
  readonly bits: Uint32Array;
}

/** The detections of one category, image after image. */
export class CategoryMatches {
  /** Objects to be found, by area range. */
  readonly objects: Uint32Array;
  readonly imageIds: Float64Column;
  readonly imageStarts: Uint32Column;
  readonly scores: Float64Column;
  readonly bits: Uint32Column;

  constructor(areaCount: number, packed?: PackedCategory) {
    this.objects = packed?.objects ?? new Uint32Array(areaCount);
    this.imageIds = new Float64Column(packed?.imageIds);
    this.imageStarts = new Uint32Column(packed?.imageStarts);
    this.scores = new Float64Column(packed?.scores);
    this.bits = new Uint32Column(packed?.bits);
  }

  get length(): number {
    return this.scores.length;
  }

  /** Counts more objects to be found in an area range. */
  addObjects(area: number, count: number): void {
    this.objects[area] = (this.objects[area] as number) + count;
  }

  /** Sets the bit of a threshold among the words from `word` on. */
  setBit(word: number, threshold: number): void {
    const at = word + (threshold >>> 5);
    this.bits.data[at] = this.bits.get(at) | (1 << (threshold & 31));
  }

  /** Its columns by rising image id, with the place of each detection in its image. */
  byImageId(): MatchesById {
    const images = this.imagesById();
    const places = new Uint32Array(this.length);
    if (images === undefined) {
      for (let image = 0; image < this.imageIds.length; image++)
        count(places, this.imageStarts.get(image), this.endOf(image));
      return { scores: this.scores.values(), places, bits: this.bits.values() };
    }
    const sorted = new CategoryMatches(this.objects.length);
    const stride = this.length === 0 ? 0 : this.bits.length / this.length;
    for (const image of images) {
      const [start, end] = [this.imageStarts.get(image), this.endOf(image)];
      count(places, sorted.length, sorted.length + end - start);
      sorted.scores.append(this.scores.data.subarray(start, end));
      sorted.bits.append(this.bits.data.subarray(start * stride, end * stride));
    }
    return { scores: sorted.scores.values(), places, bits: sorted.bits.values() };
  }

  private endOf(image: number): number {
    return image + 1 < this.imageStarts.length ? this.imageStarts.get(image + 1) : this.length;
  }

  /** The images by rising id; undefined where they are so already. */
  private imagesById(): number[] | undefined {
    const ids = this.imageIds.values();
    let sorted = 1;
    while (sorted < ids.length && (ids[sorted - 1] as number) <= (ids[sorted] as number)) sorted++;
    if (sorted >= ids.length) return undefined;
    return [...ids.keys()].sort((a, b) => (ids[a] as number) - (ids[b] as number));
  }

  /** Copies, for sending a part of an array would send all of it. */
  pack(): PackedCategory {
    return {
      objects: this.objects,
      imageIds: this.imageIds.values().slice(),
      imageStarts: this.imageStarts.values().slice(),
      scores: this.scores.values().slice(),
      bits: this.bits.values().slice(),
    };
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

/** A category's columns, in which an image with a smaller id comes earlier. */
interface MatchesById {
  readonly scores: Float64Array;
  /** 0 for the best detection of an image, then 1, ... */
  readonly places: Uint32Array;
  readonly bits: Uint32Array;
}

/** Writes 0, 1, ... from `start` to before `end`. */
function count(places: Uint32Array, start: number, end: number): void {
  for (let i = start; i < end; i++) places[i] = i - start;
}
