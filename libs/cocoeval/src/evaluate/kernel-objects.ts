/** Detections and annotated objects in the kernels' memory, where those of a category lie together (wasm/assembly/objects.ts). */
import type { Detections } from '../dataset/detections';
import type { GroundTruth } from '../dataset/ground-truth';
import type { ImageTable } from '../dataset/images';
import type { Segmentations } from '../dataset/segmentations';
import type { Column, ColumnData } from '../format/columns';
import type { Kernels } from '../wasm/kernels';
import type { Params } from './params';

/** Entries of a column that are copied in one step: few enough to stay in the processor's cache. */
const ENTRIES_AT_ONCE = 4096;

/** What is put into the kernels' memory. */
interface Source {
  readonly categoryIds: Float64Array;
  readonly segmentations: Segmentations;
  /** Members of Objects from the areas to the ids; what is missing is left out. */
  readonly columns: readonly (Column | undefined)[];
  /** Writes the place of each one's image among those evaluated, -1 for none, and returns where they are. */
  images(): number;
}

const COLUMNS = 6;

/** Copies columns so that entries of a category follow each other. */
export class ObjectColumns {
  constructor(
    private readonly kernels: Kernels,
    private readonly params: Params,
  ) {}

  /** @param imageIds the address of those evaluated. @returns the address of Objects. */
  putTruth(truth: GroundTruth, imageIds: number, imageCount: number): number {
    const { areas, crowd, ignored, ids, boxes, segmentations } = truth;
    return this.put({
      categoryIds: truth.categoryIds.values(),
      segmentations,
      columns: [areas, boxes, undefined, crowd, ignored, ids],
      images: () => this.placesOf(truth.imageIds.values(), imageIds, imageCount),
    });
  }

  /** @param known which of all images are evaluated. @returns the address of Objects. */
  putDetections(detections: Detections, images: ImageTable, known: readonly number[]): number {
    const { kind, areas, boxes, scores, segmentations, imageIndices } = detections;
    const hasOwnAreas = kind !== 'bbox' || this.params.iouType !== 'bbox';
    const places = new Int32Array(images.length).fill(-1);
    known.forEach((image, place) => (places[image] = place));
    return this.put({
      categoryIds: detections.categoryIds.values(),
      segmentations,
      columns: [hasOwnAreas ? areas : undefined, boxes, scores],
      images: () => {
        const own = this.kernels.put(imageIndices.values());
        this.kernels.run.pick(this.kernels.put(places), own, detections.length, own);
        return own;
      },
    });
  }

  /** What is needed to arrange entries comes behind the columns, and is given back. */
  private put({ categoryIds, segmentations, columns, images }: Source): number {
    const { run } = this.kernels;
    const { catIds, iouType } = this.params;
    const count = categoryIds.length;
    const starts = run.allocate(4 * (catIds.length + 2));
    const imagesOut = run.allocate(4 * count);
    const indicesOut = iouType === 'segm' ? run.allocate(4 * count) : 0;
    const columnsOut = Array.from({ length: COLUMNS }, (_, i) => this.placeFor(columns[i]));
    const rest = this.putSegmentations(segmentations);
    const objects = this.kernels.put(Uint32Array.of(starts, imagesOut, ...columnsOut, indicesOut, ...rest));
    const start = run.mark();
    const imagesAt = images();
    const categories = this.placesOf(categoryIds, this.kernels.put(Float64Array.from(catIds)), catIds.length);
    const places = run.allocate(4 * count);
    run.arrange(categories, imagesAt, count, catIds.length, places, starts);
    run.scatter(imagesAt, places, count, 4, imagesOut);
    if (indicesOut > 0) run.invert(places, count, indicesOut);
    columnsOut.forEach((out, i) => out > 0 && this.scatter((columns[i] as Column).values(), places, count, out));
    run.release(start);
    return objects;
  }

  /** 0 for a column that is missing or empty. */
  private placeFor(column: Column | undefined): number {
    return column === undefined || column.length === 0 ? 0 : this.kernels.run.allocate(column.values().byteLength);
  }

  private scatter(values: ColumnData, places: number, count: number, out: number): void {
    const { kernels } = this;
    const bytesEach = values.byteLength / count;
    const start = kernels.run.mark();
    const some = kernels.run.allocate(bytesEach * ENTRIES_AT_ONCE);
    for (let i = 0; i < count; i += ENTRIES_AT_ONCE) {
      const entries = Math.min(ENTRIES_AT_ONCE, count - i);
      const bytes = new Uint8Array(values.buffer, values.byteOffset + bytesEach * i, bytesEach * entries);
      kernels.bytes(some, bytes.length).set(bytes);
      kernels.run.scatter(some, places + 4 * i, entries, bytesEach, out);
    }
    kernels.run.release(start);
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
