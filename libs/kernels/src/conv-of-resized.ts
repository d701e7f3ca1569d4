/** 3x3 convolutions of maps of several sizes side by side, as decode heads fuse the levels of a pyramid. */
import * as tf from '@tensorflow/tfjs-core';
import { ownConv3x3 } from '#own-operations';
import { recordedProcessorOps, type NativeOps } from '#native-ops';
import { conv2d } from './conv';
import { resizeBilinear } from './resize';
import { isTakingGradient } from './slope';

const SAME = { stride: 1, padding: 1 } as const;
const TAPS = 9;

/**
 * The convolution, stride 1 and one cell of zeros on every side, of maps that are first resized to the first one's size (bilinear,
 * corners not aligned) and laid side by side. In predictions of the native engine smaller maps are multiplied before they are
 * resized, which is the same sum in another order with a fraction of the products.
 * @param maps float32 [N, H, W, C], then [N, h, w, c] each.
 * @param filter float32 [3, 3, sum of the channels, O].
 * @returns float32 [N, H, W, O].
 */
export function convOfResized(maps: readonly tf.Tensor4D[], filter: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => {
    const [first] = maps as [tf.Tensor4D];
    const own = isTakingGradient() ? null : recordedProcessorOps({ isFloat32: true });
    if (own === null) return conv2d(sideBySide(maps, first), filter, SAME);
    const parts = partsOf(maps, filter);
    const small = parts.filter(({ map }) => cellsOf(map) < cellsOf(first));
    const large = parts.filter((part) => !small.includes(part));
    const map = sideBySide(large.map((part) => part.map), first); // prettier-ignore
    const taps = joined(large.map((part) => part.filter), 2); // prettier-ignore
    if (small.length === 0) return conv2d(map, taps, SAME);
    const rest = resizedProducts(own, small, first);
    return ownConv3x3(map, taps, rest) ?? tf.add(conv2d(map, taps, SAME), rest);
  });
}

interface Part {
  readonly map: tf.Tensor4D;
  /** float32 [3, 3, channels of the map, O]. */
  readonly filter: tf.Tensor4D;
}

function partsOf(maps: readonly tf.Tensor4D[], filter: tf.Tensor4D): Part[] {
  let begin = 0;
  return maps.map((map) => {
    const channels = map.shape[3];
    const part = tf.slice(filter, [0, 0, begin, 0], [-1, -1, channels, -1]);
    begin += channels;
    return { map, filter: part };
  });
}

const cellsOf = ({ shape: [, height, width] }: tf.Tensor4D): number => height * width;

function sideBySide(maps: readonly tf.Tensor4D[], { shape: [, height, width] }: tf.Tensor4D): tf.Tensor4D {
  const resized = maps.map((map) => {
    const isSame = map.shape[1] === height && map.shape[2] === width;
    return isSame ? map : resizeBilinear(map, [height, width], { alignCorners: false });
  });
  return joined(resized, 3);
}

function joined(tensors: readonly tf.Tensor4D[], axis: number): tf.Tensor4D {
  return tensors.length === 1 ? tensors[0]! : tf.concat([...tensors], axis);
}

/** What smaller maps add to the convolution: float32 [N, H, W, O]. */
function resizedProducts(own: NativeOps, parts: readonly Part[], { shape }: tf.Tensor4D): tf.Tensor4D {
  const products = parts.map(({ map, filter }) => {
    const [n, height, width, channels] = map.shape;
    const outputs = filter.shape[3];
    const cells = tf.reshape(map, [1, n * height * width, channels]);
    const matrices = tf.reshape(filter, [TAPS, channels, outputs]);
    const attrs = [own.type('T', 'float32'), own.bool('adj_x', false), own.bool('adj_y', false)];
    return tf.reshape(own.run('BatchMatMulV2', [cells, matrices], attrs), [TAPS, n, height, width, outputs]);
  });
  const size = [own.int('height', shape[1]), own.int('width', shape[2])];
  return own.run('PyramidalResizedTaps', products, [own.int('maps', products.length), ...size]);
}
