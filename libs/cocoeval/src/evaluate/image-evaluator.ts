/** The comparison of one image's detections with its objects (pycocotools' computeIoU and evaluateImg). */
import type { Detections } from '../dataset/detections';
import type { GroundTruth } from '../dataset/ground-truth';
import { ByImage, Grouping, sortByScore, type Group, type Indices } from './groups';
import { type CategoryMatches, MatchStore } from './match-store';
import { Matcher, matchFloor } from './matching';
import type { AreaRange, Params } from './params';
import { similarityFor, type Similarity } from './similarity';

/** Whether the objects of a group are all treated alike in an area range. */
const UNIFORM = 0;
const MIXED = 1;

/** Compares the detections of one image after the other with its objects. */
export class ImageEvaluator {
  readonly byImage: ByImage;
  private readonly grouping: Grouping;
  private readonly similarity: Similarity;
  private readonly floor: number;
  private readonly matcher: Matcher;
  private values = new Float64Array(0);
  private matches = new Int32Array(0);
  private crowd = new Uint8Array(0);
  private ignored = new Uint8Array(0);

  /** @param params resolved. */
  constructor(
    readonly truth: GroundTruth,
    readonly params: Params,
  ) {
    const { images, imageIds } = truth;
    this.byImage = new ByImage(images.length, truth.length, (i) => images.indexOf(imageIds.get(i)));
    this.grouping = new Grouping(truth, params);
    this.similarity = similarityFor(truth, params.kpt_oks_sigmas);
    this.floor = matchFloor(params.iouThrs);
    this.matcher = new Matcher(params.iouThrs);
  }

  newStore(): MatchStore {
    const { catIds, useCats, areaRng, iouThrs } = this.params;
    return new MatchStore(useCats ? catIds.length : 1, areaRng.length, iouThrs.length);
  }

  /** Compares and stores all detections of an image. */
  evaluate(image: number, detections: Detections, dts: Uint32Array, store: MatchStore): void {
    this.forEachGroup(image, detections, dts, (group) => this.store(group, image, detections, store));
  }

  /** The comparisons to make in an image. */
  groups(image: number, detections: Detections, dts: Uint32Array): Group[] {
    const groups: Group[] = [];
    this.forEachGroup(image, detections, dts, ({ category, gts, dts: found }) =>
      groups.push({ category, gts: [...gts], dts: [...found] }),
    );
    return groups;
  }

  private forEachGroup(
    image: number,
    detections: Detections,
    dts: Uint32Array,
    use: (group: Group<Indices>) => void,
  ): void {
    const gts = this.byImage.of(image);
    const federation = this.params.federated ? this.truth.images.federations[image] : undefined;
    if (!federation) return this.grouping.forEach(gts, detections, dts, use);
    const best = sortByScore(dts.slice(), detections.scores.data, this.params.maxDets.at(-1) ?? 0);
    this.grouping.forEach(gts, detections, best, (group) => {
      const isJudged = group.gts.length > 0 || federation.negative.has(this.params.catIds[group.category] as number);
      if (isJudged) use(group);
    });
  }

  /** Similarities of a group, a row for each detection; values below `floor` may be 0. */
  similarities({ gts, dts }: Group<Indices>, detections: Detections, floor: number): Float64Array {
    const count = gts.length * dts.length;
    if (this.values.length < count) this.values = new Float64Array(2 * count);
    this.values.fill(0, 0, count);
    if (count > 0) this.similarity({ detections, dts, truth: this.truth, gts, floor }, this.values);
    return this.values;
  }

  /** Readies a group for `match`. */
  prepare(group: Group<Indices>, detections: Detections, floor: number): void {
    const { gts, dts } = group;
    // As in pycocotools, keypoints without categories find nothing to compare.
    const comparable = this.params.iouType !== 'keypoints' || Boolean(this.params.useCats);
    const similarities = this.similarities(group, detections, floor);
    this.matcher.prepare(similarities, dts.length, comparable ? gts.length : 0);
    if (this.crowd.length < gts.length) this.crowd = new Uint8Array(2 * gts.length);
    for (let g = 0; g < gts.length; g++) this.crowd[g] = this.truth.crowd.get(gts[g] as number);
  }

  /** Flags of the objects that are ignored in an area range. */
  ignoredObjects(gts: ArrayLike<number>, range: AreaRange, flags = new Uint8Array(gts.length)): Uint8Array {
    const { ignored, areas } = this.truth;
    for (let i = 0; i < gts.length; i++) {
      const g = gts[i] as number;
      flags[i] = ignored.get(g) === 1 || isOutside(areas.get(g), range) ? 1 : 0;
    }
    return flags;
  }

  /** Matches the group that was prepared last within an area range. @returns T x D positions in `gts`, -1 for none. */
  match({ dts }: Group<Indices>, ignored: Uint8Array): Int32Array {
    const size = this.params.iouThrs.length * dts.length;
    if (this.matches.length < size) this.matches = new Int32Array(2 * size);
    this.matcher.match(ignored, this.crowd, this.matches);
    return this.matches;
  }

  /** Whether unmatched detections count neither for nor against: the image does not show all objects of the category. */
  isNotExhaustive(image: number, category: number): boolean {
    const federation = this.params.federated ? this.truth.images.federations[image] : undefined;
    return federation?.notExhaustive.has(this.params.catIds[category] as number) ?? false;
  }

  /** Compares a group and stores how its detections fared. */
  private store(group: Group<Indices>, image: number, detections: Detections, store: MatchStore): void {
    const { gts, dts, category } = group;
    const into = store.beginImage(category, this.truth.images.ids[image] as number);
    const first = store.addDetections(into, dts, detections.scores.data);
    const spareUnmatched = this.isNotExhaustive(image, category);
    const isComparable = gts.length > 0 && dts.length > 0;
    if (isComparable) this.prepare(group, detections, this.floor);
    if (this.ignored.length < gts.length) this.ignored = new Uint8Array(2 * gts.length);
    const { ignored, matcher } = this;
    const { areaRng } = this.params;
    let matchedAs = MIXED;
    for (let a = 0; a < areaRng.length; a++) {
      const range = areaRng[a] as AreaRange;
      this.ignoredObjects(gts, range, ignored);
      let wanted = 0;
      for (let g = 0; g < gts.length; g++) if (ignored[g] === 0) wanted++;
      into.addObjects(a, wanted);
      // Where all objects are ignored, or none is, the same ones are found.
      const kind = wanted === 0 || wanted === gts.length ? UNIFORM : MIXED;
      if (isComparable && matcher.hopeful && (kind === MIXED || matchedAs === MIXED)) this.match(group, ignored);
      matchedAs = kind;
      for (let d = 0; d < dts.length; d++) {
        const outside = spareUnmatched || isOutside(detections.areas.get(dts[d] as number), range);
        const word = first + d * store.stride + 2 * store.words * a;
        if (isComparable && matcher.canMatch(d)) this.storeMatches(group, d, { ignored, outside }, store, into, word);
        else if (outside) store.ignoreAlways(into, word);
      }
    }
  }

  /**
   * Stores how a detection fared at each threshold.
   * @param outside whether it is ignored where it finds nothing.
   * @param word where its bits in the area range begin.
   */
  private storeMatches(
    { gts, dts }: Group<Indices>,
    d: number,
    { ignored, outside }: { readonly ignored: Uint8Array; readonly outside: boolean },
    store: MatchStore,
    into: CategoryMatches,
    word: number,
  ): void {
    for (let t = 0; t < store.thresholdCount; t++) {
      const match = this.matches[t * dts.length + d] as number;
      // pycocotools stores a match as the object's id, so that id 0 reads as unmatched.
      const matched = match >= 0 && this.truth.ids.get(gts[match] as number) !== 0;
      if (matched) into.setBit(word, t);
      if ((match >= 0 && ignored[match] === 1) || (!matched && outside)) into.setBit(word + store.words, t);
    }
  }
}

/** Whether an area lies outside an inclusive range. */
export function isOutside(area: number, [low, high]: AreaRange): boolean {
  return area < low || area > high;
}
