/** A map of classes drawn over its picture, with a legend. */
import type { SegmentationClass } from '@pyramidal/ade20k';
import { nearestIndex, padImage, type RgbImage, type Size } from '@pyramidal/images';
import { drawAnnotations } from '@pyramidal/pictures';

const OPACITY = 0.55;
/** What belongs to no class. */
const UNLABELLED = 255;
/** Classes that the legend names. */
const LEGEND = 12;

/** The class of each pixel of an image, row by row. */
interface ClassMap extends Size {
  readonly map: Uint8Array;
}

/**
 * The picture under the colours of its classes, plain where a pixel has none, with a legend of the most frequent ones at its right.
 * @param picture of the image, which may be smaller than it; the colours are drawn on it itself.
 */
export async function drawMap(
  picture: RgbImage,
  found: ClassMap,
  classes: readonly SegmentationClass[],
): Promise<RgbImage> {
  tint(picture, found, classes);
  const width = picture.width + Math.max(110, Math.round(0.35 * picture.width));
  const height = Math.max(picture.height, 200);
  const canvas = padImage(picture, { width, height }, { fill: [255, 255, 255] });
  const row = Math.max(16, Math.min(width, height) / 20);
  const named = frequentClasses(found.map).filter((label) => label !== UNLABELLED);
  const shown = named.slice(0, Math.min(LEGEND, Math.floor(height / row) - 1));
  const labels = shown.map((label, i) => {
    const { name, colour } = classes[label]!;
    const [x, y] = [picture.width + 4, (i + 1) * row + 4];
    return { box: [x, y, x, y] as const, colour, label: name };
  });
  return drawAnnotations(canvas, labels);
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

/** Classes of a map, the most frequent first. */
export function frequentClasses(map: Uint8Array): number[] {
  const counts = new Map<number, number>();
  for (const label of map) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort(([a, left], [b, right]) => right - left || a - b).map(([label]) => label);
}
