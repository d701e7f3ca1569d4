/** Which objects and detections are compared with each other: those of one image and category. */
import { Uint32Column } from '../format/columns';
import type { Detections } from '../dataset/detections';
import type { GroundTruth } from '../dataset/ground-truth';
import type { Params } from './params';

/** Indices of objects or detections. */
export type Indices = ArrayLike<number> & Iterable<number>;

/** The objects and detections of one image that are compared with each other. */
export interface Group<I extends Indices = readonly number[]> {
  /** Position in `params.catIds`; 0 if categories are not used. */
  readonly category: number;
  /** Indices in the order of the file. */
  readonly gts: I;
  /** Indices by falling score, equal ones in the order of the list, at most the largest of `params.maxDets`. */
  readonly dts: I;
}

/** Indices of objects by image: those of image i are `order[starts[i]]` to `order[starts[i + 1] - 1]`, in file order. */
export class ByImage {
  private readonly starts: Uint32Array;
  private readonly order: Uint32Array;

  /** @param imageOf the image index of each object, -1 to leave it out. */
  constructor(imageCount: number, objectCount: number, imageOf: (object: number) => number) {
    const starts = new Uint32Array(imageCount + 1);
    const images = new Int32Array(objectCount);
    for (let i = 0; i < objectCount; i++) images[i] = imageOf(i);
    for (const image of images) if (image >= 0) increase(starts, image + 1, 1);
    for (let i = 0; i < imageCount; i++) increase(starts, i + 1, starts[i] as number);
    this.order = new Uint32Array(starts[imageCount] as number);
    const next = starts.slice();
    images.forEach((image, i) => {
      if (image >= 0) this.order[increase(next, image, 1)] = i;
    });
    this.starts = starts;
  }

  of(image: number): Uint32Array {
    return this.order.subarray(this.starts[image], this.starts[image + 1]);
  }
}

/** Adds to an entry. @returns what it was before. */
function increase(values: Uint32Array, index: number, by: number): number {
  const before = values[index] as number;
  values[index] = before + by;
  return before;
}

/** Splits an image's objects and detections by category. */
export class Grouping {
  private readonly positions: Map<number, number>;
  private readonly maxDet: number;
  private readonly gts: Buckets;
  private readonly dts: Buckets;

  constructor(
    private readonly truth: GroundTruth,
    private readonly params: Params,
  ) {
    this.positions = new Map(params.catIds.map((id, position) => [id, position]));
    this.maxDet = params.maxDets.at(-1) ?? 0;
    this.gts = new Buckets(this.positions, params.catIds.length);
    this.dts = new Buckets(this.positions, params.catIds.length);
  }

  /** Hands over one group after the other, whose indices are overwritten by those of the next image. */
  forEach(gts: Uint32Array, detections: Detections, dts: Uint32Array, use: (group: Group<Indices>) => void): void {
    const scores = detections.scores.data;
    this.gts.fill(gts, this.truth.categoryIds.data);
    this.dts.fill(dts, detections.categoryIds.data);
    const group = (category: number, objects: Uint32Array, found: Uint32Array): void =>
      use({ category, gts: objects, dts: sortByScore(found, scores, this.maxDet) });
    if (!this.params.useCats) return group(0, this.joined(this.gts), this.joined(this.dts));
    for (let i = 0; i < this.gts.present.length; i++) {
      const category = this.gts.present.get(i);
      group(category, this.gts.of(category), this.dts.of(category));
    }
    for (let i = 0; i < this.dts.present.length; i++) {
      const category = this.dts.present.get(i);
      if (!this.gts.has(category)) group(category, NONE, this.dts.of(category));
    }
  }

  /** As in pycocotools, in the order of the categories asked for, of which one may come twice. */
  private joined(buckets: Buckets): Uint32Array {
    return Uint32Array.from(this.params.catIds.flatMap((id) => [...buckets.of(this.positions.get(id) as number)]));
  }
}

const NONE = new Uint32Array(0);

/** Indices split by category, in one array that is used again for every image. */
class Buckets {
  /** The categories that have any, in the order in which they come. */
  readonly present = new Uint32Column();
  private order = new Uint32Array(0);
  /** Category of each index, -1 for none. */
  private categories = new Int32Array(0);
  /** Category k: `order[ends[k] - counts[k]]` to `order[ends[k] - 1]`; of those that are not present 0. */
  private readonly counts: Uint32Array;
  private readonly ends: Uint32Array;

  constructor(
    private readonly positions: ReadonlyMap<number, number>,
    count: number,
  ) {
    this.counts = new Uint32Array(count);
    this.ends = new Uint32Array(count);
  }

  fill(indices: Uint32Array, categoryIds: Float64Array): void {
    if (this.order.length < indices.length) {
      this.order = new Uint32Array(2 * indices.length);
      this.categories = new Int32Array(2 * indices.length);
    }
    const { order, categories, counts, ends, positions, present } = this;
    for (let i = 0; i < present.length; i++) counts[present.get(i)] = 0;
    present.length = 0;
    for (let i = 0; i < indices.length; i++) {
      const category = positions.get(categoryIds[indices[i] as number] as number) ?? -1;
      categories[i] = category;
      if (category >= 0 && increase(counts, category, 1) === 0) present.push(category);
    }
    let start = 0;
    for (let i = 0; i < present.length; i++) {
      const category = present.get(i);
      ends[category] = start; // until it is filled
      start += counts[category] as number;
    }
    for (let i = 0; i < indices.length; i++) {
      const category = categories[i] as number;
      if (category >= 0) order[increase(ends, category, 1)] = indices[i] as number;
    }
  }

  has(category: number): boolean {
    return this.counts[category] !== 0;
  }

  of(category: number): Uint32Array {
    if (!this.has(category)) return NONE;
    const end = this.ends[category] as number;
    return this.order.subarray(end - (this.counts[category] as number), end);
  }
}

/** Most groups are this small, and sorted faster without a comparison function. */
const FEW = 40;

/** Sorts indices in place by falling score; equal scores keep their order. @returns the first `limit`. */
export function sortByScore(indices: Uint32Array, scores: Float64Array, limit = indices.length): Uint32Array {
  if (indices.length > FEW) indices.sort((a, b) => (scores[b] as number) - (scores[a] as number));
  else insertByScore(indices, scores);
  return indices.length > limit ? indices.subarray(0, limit) : indices;
}

function insertByScore(indices: Uint32Array, scores: Float64Array): void {
  for (let i = 1; i < indices.length; i++) {
    const index = indices[i] as number;
    const score = scores[index] as number;
    let at = i;
    for (; at > 0 && (scores[indices[at - 1] as number] as number) < score; at--) {
      indices[at] = indices[at - 1] as number;
    }
    indices[at] = index;
  }
}
