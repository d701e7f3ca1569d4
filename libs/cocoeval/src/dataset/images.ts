import { checkId, fail, failWith, isRecord, type Where } from '../format/errors';
import type { CocoImage, Size } from '../format/types';

/** What LVIS says of an image beyond its annotations. */
export interface Federation {
  readonly negative: ReadonlySet<number>;
  readonly notExhaustive: ReadonlySet<number>;
}

/** Which images are to be evaluated here. */
export type Owns = (imageId: number) => boolean;

export const everyImage: Owns = () => true;

/** The share of one of several that divide the images among them. */
export function sharedImages(share: number, shares: number): Owns {
  return (imageId) => Math.abs(imageId) % shares === share;
}

/** The images of a dataset: a dense index for each id, in order of appearance. */
export class ImageTable {
  readonly ids: number[] = [];
  readonly federations: (Federation | undefined)[] = [];
  private readonly sizes: (Size | undefined)[] = [];
  private readonly indices = new Map<number, number>();

  get length(): number {
    return this.ids.length;
  }

  add(image: unknown): void {
    const where = (): string => `images[${this.length}]`;
    if (!isRecord(image)) return fail(where, 'image', 'an object', image);
    const id = checkId(image['id'], 'id', where);
    if (this.indices.has(id)) fail(where, 'id', 'an id that no other image has', id);
    this.indices.set(id, this.length);
    this.ids.push(id);
    const { width, height, neg_category_ids, not_exhaustive_category_ids } = image as unknown as CocoImage;
    const sized = Number.isInteger(width) && Number.isInteger(height);
    this.sizes.push(sized ? [height as number, width as number] : undefined);
    const federated = neg_category_ids ?? not_exhaustive_category_ids;
    this.federations.push(
      federated && { negative: new Set(neg_category_ids), notExhaustive: new Set(not_exhaustive_category_ids) },
    );
  }

  /** The index of an image id, or -1. */
  indexOf(id: number): number {
    return this.indices.get(id) ?? -1;
  }

  size(index: number): Size | undefined {
    return this.sizes[index];
  }

  /** @throws CocoFormatError if the image has no whole height and width. */
  requireSize(index: number, where: Where): Size {
    return (
      this.sizes[index] ??
      failWith(where, 'image_id', `an image with height and width`, `image ${this.ids[index]} without`)
    );
  }
}
