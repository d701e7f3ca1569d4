/** The pixels of an object. */
import { mask, type Rle } from '@cocoeval/ts';

/** A mask in COCO's run lengths, which is what JSON makes of it, and what else it can be turned into. */
export class ObjectMask implements Rle {
  /** Of the image. */
  readonly size: Rle['size'];
  readonly counts: string;

  constructor({ size, counts }: Rle) {
    this.size = size;
    this.counts = counts;
  }

  /** 1 in the object and 0 outside, [height * width], row by row. */
  toBitmap(): Uint8Array {
    return mask.decode(this).data;
  }

  /** Outlines `[x1, y1, x2, y2, ...]` along the edges of pixels, as COCO's annotations have them; holes are filled. */
  toPolygons(): number[][] {
    return mask.toPolygons(this);
  }
}
