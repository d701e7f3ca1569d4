/** Mixup and CutMix. */
import type { Size } from '@pyramidal/images';
import type { Random } from '@pyramidal/random';

/** Mixup (Zhang et al. 2017) and CutMix (Yun et al. 2019), one of them for a whole batch, as timm's `batch` mode. */
export interface MixupOptions {
  /** Alpha of mixup's Beta distribution; 0 is no mixup. */
  readonly mixup: number;
  /** Alpha of CutMix's; 0 is no CutMix. */
  readonly cutmix: number;
  /** Probability of mixing a batch at all; 1 unless told. */
  readonly probability?: number;
  /** Probability of CutMix where both are on; 0.5 unless told. */
  readonly switchProbability?: number;
}

interface Batch extends Size {
  /** Float32 [N, H, W, 3]. */
  readonly images: Float32Array;
  /** Probabilities, float32 [N, K]. */
  readonly targets: Float32Array;
  /** N. */
  readonly count: number;
}

/** Mixes image i with image N - 1 - i, and their targets alike, in place. */
export function mixBatch(batch: Batch, options: MixupOptions, random: Random): void {
  const { mixup, cutmix, probability = 1, switchProbability = 0.5 } = options;
  if ((mixup === 0 && cutmix === 0) || !random.chance(probability)) return;
  const cut = cutmix > 0 && (mixup === 0 || random.chance(switchProbability));
  const kept = random.beta(cut ? cutmix : mixup);
  const { images, targets, count } = batch;
  if (cut) {
    const box = drawBox(batch, kept, random);
    mixPairs(targets, count, 0, targets.length / count, 1 - box.area / (batch.width * batch.height));
    for (let y = box.top; y < box.bottom; y++) {
      mixPairs(images, count, (y * batch.width + box.left) * 3, (box.right - box.left) * 3, 0);
    }
  } else {
    mixPairs(targets, count, 0, targets.length / count, kept);
    mixPairs(images, count, 0, images.length / count, kept);
  }
}

/** In each row of `count`: values [start, start + length) become kept x own + (1 - kept) x the row's from the other end. */
function mixPairs(values: Float32Array, count: number, start: number, length: number, kept: number): void {
  const size = values.length / count;
  for (let i = 0; i < Math.floor(count / 2); i++) {
    const a = i * size + start;
    const b = (count - 1 - i) * size + start;
    for (let k = 0; k < length; k++) {
      const [first, second] = [values[a + k]!, values[b + k]!];
      values[a + k] = kept * first + (1 - kept) * second;
      values[b + k] = kept * second + (1 - kept) * first;
    }
  }
}

/** A box of 1 - kept of the picture around a random centre, cut at the borders. */
function drawBox({ width, height }: Size, kept: number, random: Random) {
  const ratio = Math.sqrt(1 - kept);
  const [tall, wide] = [Math.trunc(height * ratio), Math.trunc(width * ratio)];
  const [y, x] = [random.integer(height), random.integer(width)];
  const top = Math.max(0, y - (tall >> 1));
  const left = Math.max(0, x - (wide >> 1));
  const bottom = Math.min(height, y + ((tall + 1) >> 1));
  const right = Math.min(width, x + ((wide + 1) >> 1));
  return { top, left, bottom, right, area: (bottom - top) * (right - left) };
}
