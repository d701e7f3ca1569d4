/**
 * Detections or annotated objects as columns in which those of a category follow each other: what is compared lies together, for the
 * memory is slow where reading jumps.
 */
/** Columns of detections or objects. */
@unmanaged
export class Objects {
  /** Those of category k begin at `starts[k]` and end before `starts[k + 1]`, in the order of the file. */
  starts: usize = 0;
  /** Places of their images among those evaluated. */
  images: usize = 0;
  /** 0 where they are those of the boxes. */
  areas: usize = 0;
  boxes: usize = 0;
  /** Of detections. */
  scores: usize = 0;
  /** Of objects: 1 for crowds, 1 for those that are ignored, and their ids. */
  crowds: usize = 0;
  ignored: usize = 0;
  ids: usize = 0;
  /** Which each was in the file, and so in the columns of segmentations below, as in segmentations.ts. */
  indices: usize = 0;
  kinds: usize = 0;
  countEnds: usize = 0;
  lengthEnds: usize = 0;
  coordinateEnds: usize = 0;
  counts: usize = 0;
  lengths: usize = 0;
  coordinates: usize = 0;
}

/**
 * Writes where each object goes, -1 for those without a category or an image (-1); and where those of each category start, then where
 * the last ones end, and one entry more.
 */
export function arrange(
  categories: usize,
  images: usize,
  count: u32,
  categoryCount: u32,
  places: usize,
  starts: usize,
): void {
  memory.fill(starts, 0, (<usize>(categoryCount + 2)) << 2);
  for (let i: usize = 0; i < (<usize>count) << 2; i += 4) {
    const category = load<i32>(categories + i);
    if (category < 0 || load<i32>(images + i) < 0) continue;
    const next = starts + ((category + 2) << 2);
    store<u32>(next, load<u32>(next) + 1);
  }
  for (let category: u32 = 0; category < categoryCount; category++) {
    const start = starts + ((category + 1) << 2);
    store<u32>(start, load<u32>(start) + load<u32>(start, 4), 4);
  }
  // Entry k + 1 is where category k begins, and becomes where it ends.
  for (let i: usize = 0; i < (<usize>count) << 2; i += 4) {
    const category = load<i32>(categories + i);
    if (category < 0 || load<i32>(images + i) < 0) {
      store<i32>(places + i, -1);
      continue;
    }
    const next = starts + ((category + 1) << 2);
    const place = load<u32>(next);
    store<u32>(next, place + 1);
    store<u32>(places + i, place);
  }
}

/** Writes values of 4, 8 or 32 bytes to their places; those with place -1 are left out. */
export function scatter(values: usize, places: usize, count: u32, bytes: u32, out: usize): void {
  const end = places + (count << 2);
  for (; places < end; places += 4) {
    const place = load<i32>(places);
    if (place >= 0) {
      if (bytes === 4) store<u32>(out + (place << 2), load<u32>(values));
      else if (bytes === 8) store<u64>(out + (place << 3), load<u64>(values));
      else {
        v128.store(out + (place << 5), v128.load(values));
        v128.store(out + (place << 5), v128.load(values, 16), 16);
      }
    }
    values += bytes;
  }
}

/** Writes which object went to each place. */
export function invert(places: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const place = load<i32>(places + (i << 2));
    if (place >= 0) store<u32>(out + (place << 2), i);
  }
}
