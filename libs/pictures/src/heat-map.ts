/** Maps of numbers as heat over a picture. */
import type { Rgb, RgbImage } from '@pyramidal/images';
import { rampColour } from './colour-ramp';

/** Dark blue, through cyan and yellow, to dark red. */
const RAMP: readonly Rgb[] = [
  [0, 0, 143],
  [0, 0, 255],
  [0, 255, 255],
  [255, 255, 0],
  [255, 0, 0],
  [128, 0, 0],
];

/**
 * Tints a picture by how large a value each pixel has: blue at the least of them, red at the most.
 * @param values one for each pixel, row by row; all alike leave the least colour.
 */
export function tintHeat(image: RgbImage, values: Float32Array, opacity = 0.5): RgbImage {
  if (values.length !== image.width * image.height) {
    throw new RangeError(`tintHeat: expected ${image.width}x${image.height} values, received ${values.length}`);
  }
  const [least, most] = extent(values);
  const scale = most > least ? 1 / (most - least) : 0;
  const data = image.data.slice();
  values.forEach((value, pixel) => {
    const colour = rampColour(RAMP, (value - least) * scale);
    for (let c = 0; c < 3; c++) {
      const at = 3 * pixel + c;
      data[at] = Math.round(data[at]! * (1 - opacity) + colour[c]! * opacity);
    }
  });
  return { data, width: image.width, height: image.height };
}

function extent(values: Float32Array): readonly [least: number, most: number] {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return [least, most];
}
