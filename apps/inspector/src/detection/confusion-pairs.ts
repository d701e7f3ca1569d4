/** What stands in the cells of a confusion matrix: pairs of an object and a detection as columns, ordered by image. */
import { type COCO, confusionMatrix } from '@cocoeval/ts';
import { groupByImage, rowsOf } from '../grouped';
import type { ConfusionCell, Pair } from '../protocol';
import { MIN_SCORE } from './filter';
import type { Places } from './object-columns';

/** Rows of objects by their annotations' ids, and of detections by their places in the results. */
interface Rows {
  objectOf(annotationId: number): number | undefined;
  detectionOf(place: number): number | undefined;
}

export class ConfusionPairs {
  /** Those of the matrix that are not 0. */
  readonly cells: readonly ConfusionCell[];
  private readonly starts: Uint32Array;
  private readonly rows: Uint16Array;
  private readonly columns: Uint16Array;
  /** Rows of objects and detections, -1 for none. */
  private readonly objects: Int32Array;
  private readonly detections: Int32Array;

  /** Pairs detections with objects of any class, as evaluation does. */
  constructor(coco: COCO, results: COCO, { images }: Places, { objectOf, detectionOf }: Rows) {
    const told: (readonly [image: number, ...Pair])[] = [];
    const { counts } = confusionMatrix(coco, results, {
      imageIds: [...images.keys()],
      minScore: MIN_SCORE,
      onPair({ imageId, row, column, annotationId, detection }) {
        const object = annotationId === undefined ? -1 : objectOf(annotationId)!;
        const found = detection === undefined ? -1 : detectionOf(detection)!;
        told.push([images.get(imageId)!, row, column, object, found]);
      },
    });
    this.cells = cellsOf(counts);
    const { starts, rowOf } = groupByImage(images.size, told.length, (i) => told[i]![0]);
    this.starts = starts;
    this.rows = new Uint16Array(told.length);
    this.columns = new Uint16Array(told.length);
    this.objects = new Int32Array(told.length);
    this.detections = new Int32Array(told.length);
    told.forEach(([, row, column, object, detection], i) => {
      const at = rowOf(i)!;
      this.rows[at] = row;
      this.columns[at] = column;
      this.objects[at] = object;
      this.detections[at] = detection;
    });
  }

  /** All of an image. */
  of(image: number): Pair[] {
    return rowsOf(this.starts, image).map((i) => [
      this.rows[i]!,
      this.columns[i]!,
      this.objects[i]!,
      this.detections[i]!,
    ]);
  }

  /** Those of an image that stand in a cell. */
  in([row, column]: readonly [row: number, column: number], image: number): Pair[] {
    return this.of(image).filter(([r, c]) => r === row && c === column);
  }
}

const cellsOf = (counts: readonly ArrayLike<number>[]): ConfusionCell[] =>
  counts.flatMap((row, i) =>
    Array.from(row).flatMap((count, k): ConfusionCell[] => (count === 0 ? [] : [[i, k, count]])),
  );
