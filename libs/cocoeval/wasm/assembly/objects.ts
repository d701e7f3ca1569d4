/** Detections or annotated objects as columns, in the order of their images. The counterpart of ByImage in src/evaluate/groups.ts. */
import { allocate, allocateZeros } from './memory';

/** Columns of detections or objects; segmentations as in segmentations.ts. */
@unmanaged
export class Objects {
  /** Those of image i are `order[starts[i]]` to `order[starts[i + 1] - 1]`, in the order of the file. */
  starts: usize = 0;
  order: usize = 0;
  /** Places of their categories among those evaluated, -1 for none. */
  categories: usize = 0;
  areas: usize = 0;
  /** Of detections. */
  scores: usize = 0;
  /** Of objects: 1 for crowds, 1 for those that are ignored, and their ids. */
  crowds: usize = 0;
  ignored: usize = 0;
  ids: usize = 0;
  boxes: usize = 0;
  kinds: usize = 0;
  countEnds: usize = 0;
  lengthEnds: usize = 0;
  coordinateEnds: usize = 0;
  counts: usize = 0;
  lengths: usize = 0;
  coordinates: usize = 0;
}

/** Orders objects by image. @param images the image of each, -1 to leave it out. */
export function orderByImage(objects: Objects, images: usize, count: u32, imageCount: u32): void {
  const starts = allocateZeros((<usize>(imageCount + 2)) << 2);
  for (let i: u32 = 0; i < count; i++) {
    const image = load<i32>(images + (i << 2));
    if (image < 0) continue;
    const next = starts + ((image + 2) << 2);
    store<u32>(next, load<u32>(next) + 1);
  }
  for (let i: u32 = 0; i < imageCount; i++) {
    const start = starts + ((i + 1) << 2);
    store<u32>(start, load<u32>(start) + load<u32>(start, 4), 4);
  }
  // Entry i + 1 is where image i begins, and becomes where it ends.
  const order = allocate((<usize>count) << 2);
  for (let i: u32 = 0; i < count; i++) {
    const image = load<i32>(images + (i << 2));
    if (image < 0) continue;
    const next = starts + ((image + 1) << 2);
    const place = load<u32>(next);
    store<u32>(next, place + 1);
    store<u32>(order + (place << 2), i);
  }
  objects.starts = starts;
  objects.order = order;
}
