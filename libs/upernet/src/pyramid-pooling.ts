/** Pyramid pooling (Zhao et al. 2017, section 3.2): averages over few large bins beside the map itself. */
import * as tf from '@tensorflow/tfjs-core';
import { ConvModule, type ForwardPass, Module } from '@pyramidal/nn';

/** Bins per side, of each scale. */
export const POOL_SCALES = [1, 2, 3, 6] as const;

/** What follows the pooling of one scale; PyTorch counts the pooling itself as 0. */
export class PoolScale extends Module {
  protected override readonly officialNames = { project: '1' };
  readonly project: ConvModule;

  constructor(inChannels: number, channels: number) {
    super();
    this.project = new ConvModule(inChannels, channels, { kernel: 1, norm: 'batch' });
  }
}

/**
 * Pyramid pooling (Zhao et al. 2017, section 3.2): the map itself, and averaged over 1, 4, 9 and 36 bins and projected; to be
 * brought back to size by what follows.
 * @param scales one for each of `POOL_SCALES`.
 * @param x float32 [N, H, W, C]; also maps smaller than the bins.
 * @returns the map, float32 [N, H, W, C], and the pooled ones, [N, side, side, channels] each.
 */
export function poolPyramid(scales: readonly PoolScale[], x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D[] {
  const [n, height, width, channels] = x.shape;
  // All scales in one matrix product: 50 weighted sums over the cells.
  const weights = tf.tile(tf.expandDims(poolingWeights(height, width)), [n, 1, 1]);
  const sums = tf.matMul(weights, tf.reshape(x, [n, height * width, channels]));
  const bins = tf.split(
    sums,
    POOL_SCALES.map((side) => side * side),
    1,
  );
  const pooled = POOL_SCALES.map((side, i) => {
    const map = tf.reshape<tf.Rank.R4>(bins[i]!, [n, side, side, channels]);
    return scales[i]!.project.forward(map, pass);
  });
  return [x, ...pooled];
}

/** One for each of `POOL_SCALES`. */
export function createScales(inChannels: number, channels: number): PoolScale[] {
  return POOL_SCALES.map(() => new PoolScale(inChannels, channels));
}

/** Weights [50, H * W] of adaptive average pooling: bin i of k spans floor(i H / k) to ceil((i + 1) H / k). */
function poolingWeights(height: number, width: number): tf.Tensor2D {
  const rows = POOL_SCALES.flatMap((side) => {
    const [ys, xs] = [spans(height, side), spans(width, side)];
    return ys.flatMap(([top, bottom]) =>
      xs.map(([left, right]) => {
        const row = new Float32Array(height * width);
        const share = 1 / ((bottom - top) * (right - left));
        for (let y = top; y < bottom; y++) row.fill(share, y * width + left, y * width + right);
        return row;
      }),
    );
  });
  const values = new Float32Array(rows.length * height * width);
  rows.forEach((row, i) => values.set(row, i * row.length));
  return tf.tensor2d(values, [rows.length, height * width]);
}

function spans(length: number, bins: number): [start: number, end: number][] {
  return Array.from({ length: bins }, (_, i) => [
    Math.floor((i * length) / bins),
    Math.ceil(((i + 1) * length) / bins),
  ]);
}
