/** The annotated objects of single images, to be drawn beside what is found in them. */
import { basename } from 'node:path';
import { mask, type COCO, type CocoImage } from '@cocoeval/ts';
import { readCoco } from '@cocoeval/ts/node';
import type { DetectionClass } from '@pyramidal/coco';
import { UsageError } from '@pyramidal/config';
import type { Size } from '@pyramidal/images';
import type { Drawable } from './draw-detections';

/** Objects of one image; more would hide it, and take minutes to draw. */
const MOST_DRAWN = 10_000;

export class AnnotatedObjects {
  private readonly coco: COCO;
  private readonly images: ReadonlyMap<string, CocoImage>;
  private readonly labels: ReadonlyMap<number, number>;

  /**
   * @param file in COCO's format. Objects of categories that the detector does not know are left out.
   * @param images paths of all images that it will be asked for; their names are those in the file.
   * @throws UsageError naming the first image that the file does not have; an error in one line for a file that is none.
   */
  constructor(file: string, images: readonly string[], classes: readonly DetectionClass[]) {
    this.coco = readCoco(file);
    this.coco.checkedRecords(); // by the rules of training and evaluation
    for (const [id, { length }] of this.coco.imgToAnns) {
      if (length <= MOST_DRAWN) continue;
      throw new UsageError(
        `--truth ${file}: image ${id}: expected at most ${MOST_DRAWN} objects to draw, received ${length}`,
      );
    }
    this.images = new Map(this.coco.images.map((image) => [basename(image.file_name ?? ''), image]));
    this.labels = new Map(classes.map(({ categoryId }, label) => [categoryId, label]));
    const unknown = images.find((image) => !this.images.has(basename(image)));
    if (unknown !== undefined) throw new UsageError(`--truth ${file}: expected an image named '${basename(unknown)}'`);
  }

  /** @param size of the image. */
  of(path: string, { width, height }: Size): Drawable[] {
    const { id } = this.images.get(basename(path))!;
    return (this.coco.imgToAnns.get(id) ?? []).flatMap(({ category_id, bbox, segmentation }): Drawable[] => {
      const label = this.labels.get(category_id);
      if (label === undefined || bbox === undefined) return [];
      const [x, y, w, h] = bbox as [number, number, number, number];
      const pixels = segmentation && mask.fromSegmentation(segmentation, height, width);
      return [{ label, box: [x, y, x + w, y + h], ...(pixels && { mask: pixels }) }];
    });
  }
}
