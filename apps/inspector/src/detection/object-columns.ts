/** The annotated objects of a data set as columns, ordered by image. */
import { mask, type CocoAnnotation, type COCO } from '@cocoeval/ts';
import type { Size } from '@pyramidal/images';
import { groupByImage } from '../grouped';
import type { Box, ObjectDetails, Rle } from '../protocol';

/** What columns are made for: places of images by their ids, labels of classes by their categories' ids. */
export interface Places {
  readonly images: ReadonlyMap<number, number>;
  readonly labels: ReadonlyMap<number, number>;
}

export class ObjectColumns {
  readonly starts: Uint32Array;
  /** Of the annotation. */
  readonly ids: Float64Array;
  readonly labels: Uint16Array;
  readonly areas: Float64Array;
  readonly crowds: Uint8Array;
  private readonly rows = new Map<number, number>();

  constructor(
    private readonly coco: COCO,
    places: Places,
  ) {
    const { annotations } = coco;
    const { starts, rowOf } = groupByImage(places.images.size, annotations.length, (i) =>
      places.images.get(annotations[i]!.image_id),
    );
    const count = starts.at(-1)!;
    this.starts = starts;
    this.ids = new Float64Array(count);
    this.labels = new Uint16Array(count);
    this.areas = new Float64Array(count);
    this.crowds = new Uint8Array(count);
    annotations.forEach((annotation, i) => {
      const row = rowOf(i);
      if (row === undefined) return;
      this.ids[row] = annotation.id;
      this.labels[row] = places.labels.get(annotation.category_id)!;
      this.areas[row] = annotation.area!;
      this.crowds[row] = annotation.iscrowd ? 1 : 0;
      this.rows.set(annotation.id, row);
    });
  }

  get length(): number {
    return this.ids.length;
  }

  /** The row of an annotation. */
  rowOf(id: number): number | undefined {
    return this.rows.get(id);
  }

  /** As the file has it. */
  annotation(row: number): CocoAnnotation {
    return this.coco.annotation(this.ids[row]!)!;
  }

  /** @param size of the image, where masks are asked for. */
  details(row: number, size: Size | undefined): ObjectDetails {
    const { bbox, segmentation } = this.annotation(row);
    return {
      id: this.ids[row]!,
      label: this.labels[row]!,
      box: bbox as Box,
      area: this.areas[row]!,
      crowd: this.crowds[row] === 1,
      ...(size !== undefined && hasMask(segmentation) && { mask: runsOf(segmentation, size) }),
    };
  }
}

const hasMask = (segmentation: CocoAnnotation['segmentation']): segmentation is NonNullable<typeof segmentation> =>
  Array.isArray(segmentation) ? segmentation.length > 0 : Boolean(segmentation);

/** Run lengths, whatever form a file has. */
export const runsOf = (segmentation: NonNullable<CocoAnnotation['segmentation']>, { height, width }: Size): Rle =>
  mask.fromSegmentation(segmentation, height, width);
