/** torchvision's `ColorJitter`. */
import type { RgbImage } from '@pyramidal/images';
import type { Random } from '@pyramidal/random';
import { brightness, contrast, saturation } from './enhance';

/** Changes brightness, contrast and saturation in random order, each by a factor in [1 - strength, 1 + strength] (at least 0). */
export function colourJitter(image: RgbImage, strength: number, random: Random): RgbImage {
  const changes = [brightness, contrast, saturation];
  return random.permutation(changes.length).reduce((current, which) => {
    return changes[which]!(current, random.uniform(Math.max(0, 1 - strength), 1 + strength));
  }, image);
}
