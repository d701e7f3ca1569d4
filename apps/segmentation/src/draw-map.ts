/** A map of classes drawn over its picture, with a legend. */
import type { SegmentationClass } from '@pyramidal/ade20k';
import { nearestIndex, type RgbImage, type Size } from '@pyramidal/images';
import { addLegend } from '@pyramidal/pictures';

const OPACITY = 0.55;

/** The class of each pixel of an image, row by row. */
interface ClassMap extends Size {
  readonly map: Uint8Array;
}

/**
 * The picture under the colours of its classes, plain where a pixel has none, with a legend at its right, the most frequent first.
 * @param picture of the image, which may be smaller than it; the colours are drawn on it itself.
 */
export async function drawMap(
  picture: RgbImage,
  found: ClassMap,
  classes: readonly SegmentationClass[],
): Promise<RgbImage> {
  tint(picture, found, classes);
  const named = frequentClasses(found.map).flatMap((label) => classes[label] ?? []);
  return addLegend(picture, named);
}

/** Each pixel of a smaller picture has the colour of the image's nearest one. */
function tint(picture: RgbImage, { map, ...size }: ClassMap, classes: readonly SegmentationClass[]): void {
  const { data, width, height } = picture;
  const columns = nearestIndex(size.width, width);
  let at = 0;
  for (const row of nearestIndex(size.height, height)) {
    for (const column of columns) {
      const colour = classes[map[row * size.width + column]!]?.colour;
      for (let c = 0; c < 3; c++, at++) {
        if (colour !== undefined) data[at] = Math.round(data[at]! * (1 - OPACITY) + colour[c]! * OPACITY);
      }
    }
  }
}

/** How many pixels of a map each of the 256 labels has. */
export function countLabels(map: Uint8Array): Float64Array {
  const counts = new Float64Array(256);
  // Four times as fast as an iterator, which tells on maps of large images.
  for (let i = 0; i < map.length; i++) counts[map[i]!]!++;
  return counts;
}

/** Classes of a map, the most frequent first. */
export function frequentClasses(map: Uint8Array): number[] {
  const counts = countLabels(map);
  const labels = Array.from(counts.keys()).filter((label) => counts[label]! > 0);
  return labels.sort((a, b) => counts[b]! - counts[a]! || a - b);
}
