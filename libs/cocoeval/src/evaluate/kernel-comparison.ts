/** The comparison of detections with objects in WebAssembly (wasm/assembly/evaluate.ts), bit for bit as ImageEvaluator's. */
import type { Detections } from '../dataset/detections';
import type { GroundTruth } from '../dataset/ground-truth';
import type { ImageTable } from '../dataset/images';
import type { Segmentations } from '../dataset/segmentations';
import { Kernels, MOST_BYTES } from '../wasm/kernels';
import { MatchStore } from './match-store';
import { matchFloor, matchThresholds } from './matching';
import type { Params } from './params';

/** Matches at the thresholds are bits of one word. */
const MOST_THRESHOLDS = 32;
const MOST_DETECTIONS = 2 ** 31;

/** Images compared in one call: with the next call a browser's better code for the same kernels can begin. */
const IMAGES_AT_ONCE = 128;

/** Compares detections with objects in some images. @returns undefined where ImageEvaluator has to. */
export function compareByKernels(
  truth: GroundTruth,
  detections: Detections,
  params: Params,
  imageIds: readonly number[],
): MatchStore | undefined {
  const isSmall = bytesOf(truth, detections, params) < MOST_BYTES;
  if (!isSmall || !isSuited(truth, params)) return undefined;
  return Kernels.use((kernels) => new Comparison(kernels, truth, detections, params).of(imageIds));
}

/** Bytes of what is copied, at most, and of the answers. */
function bytesOf(truth: GroundTruth, detections: Detections, { areaRng, catIds }: Params): number {
  const BYTES_EACH = 100;
  const objects = [truth, detections].map(({ length, segmentations: { counts, lengths, coordinates } }) => {
    return BYTES_EACH * length + counts.length + 4 * lengths.length + 8 * coordinates.length;
  });
  const answers = 8 * areaRng.length * (detections.length + catIds.length);
  return answers + objects.reduce((sum, bytes) => sum + bytes, 0);
}

function isSuited({ images }: GroundTruth, params: Params): boolean {
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

class Comparison {
  constructor(
    private readonly kernels: Kernels,
    private readonly truth: GroundTruth,
    private readonly detections: Detections,
    private readonly params: Params,
  ) {}

  of(imageIds: readonly number[]): MatchStore {
    const { run } = this.kernels;
    const { images } = this.truth;
    const { catIds, iouThrs, areaRng } = this.params;
    const usesMasks = this.params.iouType === 'segm';
    const ids = this.kernels.put(Float64Array.from(images.ids));
    const sizes = usesMasks ? this.kernels.put(images.sizes() as Uint32Array) : 0;
    const found = this.putDetections();
    run.useObjects(this.putTruth(images, ids), found, usesMasks, sizes, ids);
    run.useParams(
      this.kernels.put(Float64Array.from(matchThresholds(iouThrs))),
      iouThrs.length,
      matchFloor(iouThrs),
      this.kernels.put(Float64Array.from(areaRng.flat())),
      areaRng.length,
      this.params.maxDets.at(-1) ?? 0,
    );
    const known = imageIds.map((id) => images.indexOf(id)).filter((image) => image >= 0);
    const chosen = this.kernels.put(Uint32Array.from(known));
    const answers = this.kernels
      .uint32(run.beginEvaluation(this.truth.length, this.detections.length, catIds.length), 9)
      .slice();
    for (let i = 0; i < known.length; i += IMAGES_AT_ONCE) {
      run.evaluateImages(chosen + 4 * i, Math.min(IMAGES_AT_ONCE, known.length - i));
    }
    return this.storeOf(answers);
  }

  private putTruth(images: ImageTable, imageIds: number): number {
    const { run } = this.kernels;
    const { truth } = this;
    const own = run.allocate(4 * truth.length);
    run.findIds(run.idTable(imageIds, images.length), this.kernels.put(truth.imageIds.values()), truth.length, own);
    return this.putObjects(own, truth.length, [
      this.categoriesOf(truth.categoryIds.values()),
      this.kernels.put(truth.areas.values()),
      0,
      this.kernels.put(truth.crowd.values()),
      this.kernels.put(truth.ignored.values()),
      this.kernels.put(truth.ids.values()),
      this.kernels.put(truth.boxes.values()),
      ...this.putSegmentations(truth.segmentations),
    ]);
  }

  private putDetections(): number {
    const { detections } = this;
    return this.putObjects(this.kernels.put(detections.imageIndices.values()), detections.length, [
      this.categoriesOf(detections.categoryIds.values()),
      this.kernels.put(detections.areas.values()),
      this.kernels.put(detections.scores.values()),
      0,
      0,
      0,
      this.kernels.put(detections.boxes.values()),
      ...this.putSegmentations(detections.segmentations),
    ]);
  }

  /** @param columns all members of Objects but the first two, which order by image. @returns the address of the whole. */
  private putObjects(images: number, count: number, columns: readonly number[]): number {
    const objects = this.kernels.put(Uint32Array.of(0, 0, ...columns));
    this.kernels.run.orderByImage(objects, images, count, this.truth.images.length);
    return objects;
  }

  /** The places of categories among those evaluated. */
  private categoriesOf(ids: Float64Array): number {
    const { run } = this.kernels;
    const { catIds } = this.params;
    const table = run.idTable(this.kernels.put(Float64Array.from(catIds)), catIds.length);
    const places = run.allocate(4 * ids.length);
    run.findIds(table, this.kernels.put(ids), ids.length, places);
    return places;
  }

  private putSegmentations(segmentations: Segmentations): number[] {
    const { kinds, countEnds, lengthEnds, coordinateEnds, counts, lengths, coordinates } = segmentations;
    const columns = [kinds, countEnds, lengthEnds, coordinateEnds, counts, lengths, coordinates];
    return columns.map((column) => this.kernels.put(column.values()));
  }

  /** Copies of the answers, so that the kernels' memory can go. */
  private storeOf(answers: Uint32Array): MatchStore {
    const [objects, images, detections, firstImages, firstDetections, imageIds, starts, scores, bits] = [
      ...answers,
    ] as [...Nine];
    const { catIds, areaRng, iouThrs } = this.params;
    const { kernels } = this;
    const K = catIds.length;
    const A = areaRng.length;
    const of = (column: number): Uint32Array => kernels.uint32(column, K);
    const [imageCounts, counts, imageFirsts, firsts] = [
      of(images),
      of(detections),
      of(firstImages),
      of(firstDetections),
    ];
    const categories = catIds.map((_, k) => {
      const [image, imageCount] = [imageFirsts[k] as number, imageCounts[k] as number];
      const [first, count] = [firsts[k] as number, counts[k] as number];
      return {
        objects: kernels.uint32(objects + 4 * A * k, A).slice(),
        imageIds: kernels.float64(imageIds + 8 * image, imageCount).slice(),
        imageStarts: kernels.uint32(starts + 4 * image, imageCount).slice(),
        scores: kernels.float64(scores + 8 * first, count).slice(),
        bits: kernels.uint32(bits + 8 * A * first, 2 * A * count).slice(),
      };
    });
    return MatchStore.unpack({ areaCount: A, thresholdCount: iouThrs.length, categories });
  }
}

type Nine = [number, number, number, number, number, number, number, number, number];
