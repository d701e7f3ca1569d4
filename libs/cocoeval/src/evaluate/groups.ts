/** Which objects and detections are compared with each other: those of one image and category. */
import type { Detections } from '../dataset/detections';
import type { GroundTruth } from '../dataset/ground-truth';
import type { Params } from './params';

/** The objects and detections of one image that are compared with each other. */
export interface Group {
  /** Position in `params.catIds`; 0 if categories are not used. */
  readonly category: number;
  /** Indices in the order of the file. */
  readonly gts: readonly number[];
  /** Indices by falling score, equal ones in the order of the list, at most the largest of `params.maxDets`. */
  readonly dts: readonly number[];
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

  constructor(
    private readonly truth: GroundTruth,
    private readonly params: Params,
  ) {
    this.positions = new Map(params.catIds.map((id, position) => [id, position]));
    this.maxDet = params.maxDets.at(-1) ?? 0;
  }

  groups(gts: Iterable<number>, detections: Detections, dts: Iterable<number>): Group[] {
    const gtBuckets = this.bucket(this.truth.categoryIds.data, gts);
    const dtBuckets = this.bucket(detections.categoryIds.data, dts);
    const group = (category: number, objects: readonly number[], found: readonly number[]): Group => ({
      category,
      gts: objects,
      dts: byScore(found, detections.scores.data).slice(0, this.maxDet),
    });
    if (!this.params.useCats) {
      const joined = (buckets: Map<number, number[]>): number[] =>
        this.params.catIds.flatMap((id) => buckets.get(this.positions.get(id) as number) ?? []);
      return [group(0, joined(gtBuckets), joined(dtBuckets))];
    }
    const present = new Set([...gtBuckets.keys(), ...dtBuckets.keys()]);
    return [...present].map((category) =>
      group(category, gtBuckets.get(category) ?? [], dtBuckets.get(category) ?? []),
    );
  }

  private bucket(categoryIds: Float64Array, indices: Iterable<number>): Map<number, number[]> {
    const buckets = new Map<number, number[]>();
    for (const index of indices) {
      const position = this.positions.get(categoryIds[index] as number);
      if (position === undefined) continue;
      const bucket = buckets.get(position);
      if (bucket) bucket.push(index);
      else buckets.set(position, [index]);
    }
    return buckets;
  }
}

/** Indices by falling score; equal scores keep their order. */
export function byScore(indices: readonly number[], scores: Float64Array): number[] {
  return indices.length > FEW
    ? [...indices].sort((a, b) => (scores[b] as number) - (scores[a] as number))
    : insertByScore(indices, scores);
}

/** Most groups are this small, and sorted faster without a comparison function. */
const FEW = 40;

function insertByScore(indices: readonly number[], scores: Float64Array): number[] {
  const sorted: number[] = [];
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] as number;
    const score = scores[index] as number;
    let at = i;
    for (; at > 0 && (scores[sorted[at - 1] as number] as number) < score; at--) sorted[at] = sorted[at - 1] as number;
    sorted[at] = index;
  }
  return sorted;
}
