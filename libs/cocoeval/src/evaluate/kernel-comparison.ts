/** The comparison of detections with objects in WebAssembly (wasm/assembly/evaluate.ts), bit for bit as ImageEvaluator's. */
import type { Detections } from '../dataset/detections';
import type { GroundTruth } from '../dataset/ground-truth';
import type { Segmentations } from '../dataset/segmentations';
import { Uint32Column, type Column } from '../format/columns';
import { Kernels, MOST_BYTES } from '../wasm/kernels';
import { MatchStore, type PackedCategory } from './match-store';
import { matchFloor, matchThresholds } from './matching';
import type { Params } from './params';

/** Matches at the thresholds are bits of one word. */
const MOST_THRESHOLDS = 32;
const MOST_DETECTIONS = 2 ** 31;

/** Entries of a column that are copied in one step: few enough to stay in the processor's cache. */
const ENTRIES_AT_ONCE = 4096;

/**
 * Compares detections with objects in some images, whose ids rise.
 * @returns undefined where ImageEvaluator has to.
 */
export function compareByKernels(
  truth: GroundTruth,
  detections: Detections,
  params: Params,
  imageIds: readonly number[],
): MatchStore | undefined {
  if (bytesOf(truth, detections, params) >= MOST_BYTES || !isSuited(truth, params)) return undefined;
  const { areaRng, iouThrs, catIds } = params;
  return Kernels.use((kernels) => {
    const comparison = new Comparison(kernels, truth, detections, params, imageIds);
    const categories = catIds.map((_, k) => comparison.copyOf(k));
    return MatchStore.unpack({ areaCount: areaRng.length, thresholdCount: iouThrs.length, categories });
  });
}

/** Bytes of what is copied, at most, and of the answers for a category. */
export function bytesOf(truth: GroundTruth, detections: Detections, { areaRng, catIds }: Params): number {
  const BYTES_EACH = 160;
  const objects = [truth, detections].map(({ length, segmentations: { counts, lengths, coordinates } }) => {
    return BYTES_EACH * length + counts.length + 4 * lengths.length + 8 * coordinates.length;
  });
  const answers = 8 * areaRng.length * (detections.length + catIds.length);
  return answers + objects.reduce((sum, bytes) => sum + bytes, 0);
}

/** Whether kernels can compare. */
export function isSuited({ images }: GroundTruth, params: Params): boolean {
  const { iouType, useCats, federated, iouThrs } = params;
  const limit = params.maxDets.at(-1) ?? 0;
  return (
    iouType !== 'keypoints' &&
    Boolean(useCats) &&
    !federated &&
    iouThrs.length <= MOST_THRESHOLDS &&
    Number.isInteger(limit) &&
    limit >= 0 &&
    limit < MOST_DETECTIONS &&
    (iouType === 'bbox' || images.sizes() !== undefined)
  );
}

/** Where the detections of a category are, image after image, best first, and what they found. */
interface ComparedCategory {
  readonly imageCount: number;
  readonly count: number;
  /** Objects to be found, by area range. */
  readonly objects: number;
  readonly imageIds: number;
  readonly imageStarts: number;
  readonly scores: number;
  /** Of each detection in its image. */
  readonly places: number;
  /** As in MatchStore. */
  readonly bits: number;
  /** Which detection is best, second best, ... */
  readonly ranking: number;
}

/** Detections and objects of some images, ready to be compared. */
export class Comparison {
  /** @param imageIds rising. */
  constructor(
    private readonly kernels: Kernels,
    truth: GroundTruth,
    detections: Detections,
    private readonly params: Params,
    imageIds: readonly number[],
  ) {
    const { images } = truth;
    const known = imageIds.map((id) => images.indexOf(id)).filter((image) => image >= 0);
    const ids = kernels.put(Float64Array.from(known, (image) => images.ids[image] as number));
    const masks = params.iouType === 'segm';
    const sizes = masks ? kernels.put(Uint32Array.from(known.flatMap((image) => images.requireSize(image)))) : 0;
    const objects = this.putTruth(truth, ids, known.length);
    kernels.run.useObjects(
      objects,
      this.putDetections(detections, images.length, known),
      masks,
      sizes,
      ids,
      known.length,
    );
    this.useParams();
  }

  /** Compares a category. What it returns is in the kernels' memory. */
  of(category: number): ComparedCategory {
    const answers = this.kernels.uint32(this.kernels.run.compareCategory(category), 9);
    const [imageCount, count, objects, imageIds, imageStarts, scores, places, bits, ranking] = [...answers] as [
      ...Nine,
    ];
    return { imageCount, count, objects, imageIds, imageStarts, scores, places, bits, ranking };
  }

  /** Compares a category. What it returns is copied, and what it took is given back. */
  copyOf(category: number): PackedCategory {
    const { kernels } = this;
    const start = kernels.run.mark();
    const { imageCount, count, objects, imageIds, imageStarts, scores, bits } = this.of(category);
    const areas = this.params.areaRng.length;
    const copy = {
      objects: kernels.uint32(objects, areas).slice(),
      imageIds: kernels.float64(imageIds, imageCount).slice(),
      imageStarts: kernels.uint32(imageStarts, imageCount).slice(),
      scores: kernels.float64(scores, count).slice(),
      bits: kernels.uint32(bits, 2 * areas * count).slice(),
    };
    kernels.run.release(start);
    return copy;
  }

  private useParams(): void {
    const { iouThrs, areaRng, maxDets } = this.params;
    this.kernels.run.useParams(
      this.kernels.put(Float64Array.from(matchThresholds(iouThrs))),
      iouThrs.length,
      matchFloor(iouThrs),
      this.kernels.put(Float64Array.from(areaRng.flat())),
      areaRng.length,
      maxDets.at(-1) ?? 0,
    );
  }

  private putTruth(truth: GroundTruth, imageIds: number, imageCount: number): number {
    const images = this.placesOf(truth.imageIds.values(), imageIds, imageCount);
    const { areas, crowd, ignored, ids, boxes, segmentations } = truth;
    return this.putObjects(images, truth.categoryIds.values(), segmentations, [
      areas,
      boxes,
      undefined,
      crowd,
      ignored,
      ids,
    ]);
  }

  /** @param known which of all images are compared. */
  private putDetections(detections: Detections, imageCount: number, known: readonly number[]): number {
    const { kernels } = this;
    const places = new Int32Array(imageCount).fill(-1);
    known.forEach((image, place) => (places[image] = place));
    const images = kernels.put(detections.imageIndices.values());
    kernels.run.pick(kernels.put(places), images, detections.length, images);
    const { kind, boxes, scores, segmentations } = detections;
    const areas = kind === 'bbox' && this.params.iouType === 'bbox' ? undefined : detections.areas;
    return this.putObjects(images, detections.categoryIds.values(), segmentations, [areas, boxes, scores]);
  }

  /** @param columns members of Objects from the areas on. @returns the address of the whole. */
  private putObjects(
    images: number,
    categoryIds: Float64Array,
    segmentations: Segmentations,
    columns: readonly (Column | undefined)[],
  ): number {
    const { kernels } = this;
    const { catIds } = this.params;
    const count = categoryIds.length;
    const categories = this.placesOf(categoryIds, kernels.put(Float64Array.from(catIds)), catIds.length);
    const places = kernels.run.allocate(4 * count);
    const starts = kernels.run.arrange(categories, images, count, catIds.length, places);
    const scattered = Array.from({ length: 6 }, (_, i) => this.scatter(columns[i], places, count));
    const own = kernels.run.allocate(4 * count);
    kernels.run.scatter(images, places, count, 4, own);
    const indices = this.params.iouType === 'segm' ? this.scatter(rising(count), places, count) : 0;
    return kernels.put(Uint32Array.of(starts, own, ...scattered, indices, ...this.putSegmentations(segmentations)));
  }

  /** Copies a column so that entries of a category follow each other. @returns its address, 0 for none. */
  private scatter(column: Column | undefined, places: number, count: number): number {
    if (column === undefined || column.length === 0) return 0;
    const { kernels } = this;
    const values = column.values();
    const bytesEach = values.byteLength / count;
    const out = kernels.run.allocate(values.byteLength);
    const start = kernels.run.mark();
    const some = kernels.run.allocate(bytesEach * ENTRIES_AT_ONCE);
    for (let i = 0; i < count; i += ENTRIES_AT_ONCE) {
      const entries = Math.min(ENTRIES_AT_ONCE, count - i);
      const bytes = new Uint8Array(values.buffer, values.byteOffset + bytesEach * i, bytesEach * entries);
      kernels.bytes(some, bytes.length).set(bytes);
      kernels.run.scatter(some, places + 4 * i, entries, bytesEach, out);
    }
    kernels.run.release(start);
    return out;
  }

  /** The places of ids among others, -1 for none. @param among the address of these. */
  private placesOf(ids: Float64Array, among: number, count: number): number {
    const { run } = this.kernels;
    const places = run.allocate(4 * ids.length);
    run.findIds(run.idTable(among, count), this.kernels.put(ids), ids.length, places);
    return places;
  }

  private putSegmentations(segmentations: Segmentations): number[] {
    const { kinds, countEnds, lengthEnds, coordinateEnds, counts, lengths, coordinates } = segmentations;
    const columns = [kinds, countEnds, lengthEnds, coordinateEnds, counts, lengths, coordinates];
    return columns.map((column) => this.kernels.put(column.values()));
  }
}

/** 0, 1, ... */
function rising(count: number): Column {
  const column = new Uint32Column(new Uint32Array(count));
  for (let i = 0; i < count; i++) column.data[i] = i;
  return column;
}

type Nine = [number, number, number, number, number, number, number, number, number];
