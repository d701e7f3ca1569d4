/** Random erasing. */
import type { Size } from '@pyramidal/images';
import type { Random } from '@pyramidal/random';

const AREA = [0.02, 1 / 3] as const;
const LOG_RATIO = [Math.log(0.3), Math.log(1 / 0.3)] as const;

/**
 * Fills a random rectangle with normal noise, in place (Zhong et al. 2017, timm's `pixel` mode).
 * @param pixels normalised float32 [H, W, 3].
 */
export function eraseRandomly(
  pixels: Float32Array,
  { width, height }: Size,
  probability: number,
  random: Random,
): void {
  if (!random.chance(probability)) return;
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * random.uniform(...AREA);
    const ratio = Math.exp(random.uniform(...LOG_RATIO));
    const tall = Math.round(Math.sqrt(area * ratio));
    const wide = Math.round(Math.sqrt(area / ratio));
    if (wide >= width || tall >= height) continue;
    const top = random.integer(height - tall + 1);
    const left = random.integer(width - wide + 1);
    for (let y = top; y < top + tall; y++) {
      for (let i = (y * width + left) * 3; i < (y * width + left + wide) * 3; i++) pixels[i] = random.normal();
    }
    return;
  }
}
