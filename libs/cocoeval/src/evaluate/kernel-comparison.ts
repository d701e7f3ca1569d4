/** The comparison of detections with objects in WebAssembly (wasm/assembly/evaluate.ts), bit for bit as ImageEvaluator's. */
import type { Detections } from '../dataset/detections';
import type { GroundTruth } from '../dataset/ground-truth';
import { Kernels, MOST_BYTES } from '../wasm/kernels';
import { ObjectColumns } from './kernel-objects';
import { MatchStore, type PackedCategory } from './match-store';
import { matchFloor, matchThresholds } from './matching';
import type { Params } from './params';

/** Matches at the thresholds are bits of one word. */
const MOST_THRESHOLDS = 32;
const MOST_DETECTIONS = 2 ** 31;

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
    const objects = new ObjectColumns(kernels, params);
    const truthAt = objects.putTruth(truth, ids, known.length);
    kernels.run.useObjects(truthAt, objects.putDetections(detections, images, known), masks, sizes, ids, known.length);
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
}

type Nine = [number, number, number, number, number, number, number, number, number];
