/** A map of classes drawn over its picture, with a legend. */
import type { SegmentationClass } from '@pyramidal/ade20k';
import { padImage, type RgbImage } from '@pyramidal/images';
import { drawAnnotations } from '@pyramidal/pictures';

const OPACITY = 0.55;
/** What belongs to no class. */
const UNLABELLED = 255;
/** Classes that the legend names. */
const LEGEND = 12;

/** The picture under the colours of its classes, plain where a pixel has none, with a legend of the most frequent ones at its right. */
export async function drawMap(
  image: RgbImage,
  map: Uint8Array,
  classes: readonly SegmentationClass[],
): Promise<RgbImage> {
  const width = image.width + Math.max(110, Math.round(0.35 * image.width));
  const height = Math.max(image.height, 200);
  const canvas = padImage(tint(image, map, classes), { width, height }, { fill: [255, 255, 255] });
  const row = Math.max(16, Math.min(width, height) / 20);
  const named = frequentClasses(map).filter((label) => label !== UNLABELLED);
  const shown = named.slice(0, Math.min(LEGEND, Math.floor(height / row) - 1));
  const labels = shown.map((label, i) => {
    const { name, colour } = classes[label]!;
    const [x, y] = [image.width + 4, (i + 1) * row + 4];
    return { box: [x, y, x, y] as const, colour, label: name };
  });
  return drawAnnotations(canvas, labels);
}

function tint(image: RgbImage, map: Uint8Array, classes: readonly SegmentationClass[]): RgbImage {
  const data = Uint8Array.from(image.data);
  map.forEach((label, pixel) => {
    if (label === UNLABELLED) return;
    const { colour } = classes[label]!;
    for (let c = 0; c < 3; c++) {
      const at = 3 * pixel + c;
      data[at] = Math.round(image.data[at]! * (1 - OPACITY) + colour[c]! * OPACITY);
    }
  });
  return { ...image, data };
}

/** Classes of a map, the most frequent first. */
export function frequentClasses(map: Uint8Array): number[] {
  const counts = new Map<number, number>();
  for (const label of map) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].sort(([a, left], [b, right]) => right - left || a - b).map(([label]) => label);
}
