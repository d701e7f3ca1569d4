import * as tf from '@tensorflow/tfjs-core';
import { inferencePass } from '@pyramidal/nn';
import {
  decodeRuns,
  expectClose,
  expectGoldenStats,
  fillGoldenPart,
  goldenMap,
  goldenNoise,
  goldenValues,
  inEngine,
  readFixture,
  stateShapes,
  torchOrder,
  type GoldenFull,
  type GoldenStats,
} from '@pyramidal/testing';
import { MaskHead } from './mask-head';
import { pasteMask, pasteMaskRuns } from './mask-paste';
import { maskTargets } from './mask-targets';

interface GoldenPasted {
  readonly image: readonly [number, number];
  readonly scale_factor: readonly number[];
  readonly rescale: boolean;
  readonly masks: readonly { readonly area: number; readonly rle_counts: readonly number[] }[];
}

const fixture = <T>(name: string): T => readFixture(__dirname, name) as T;
const golden = fixture<{
  forward: {
    state_dict: [string, number[]][];
    labels: number[];
    logits: GoldenStats;
    loss_mask: number;
    grad_logits: GoldenStats;
    grad_x: GoldenStats;
  };
  degenerate: { index: number };
  paste: { det_bboxes: GoldenFull; kinds: string[]; results: Record<string, GoldenPasted> };
}>('mask_head');
const targets = fixture<{
  height: number;
  width: number;
  bitmaps: { rle_counts: number[] }[];
  boxes: GoldenFull;
  assigned_gt: number[];
  from_bitmap: { rows: string[] }[];
}>('mask_targets');

function goldenTargets(): tf.Tensor3D {
  const bits = targets.from_bitmap.flatMap(({ rows }) => [...rows.join('')].map(Number));
  return tf.tensor3d(bits, [targets.from_bitmap.length, 28, 28]);
}

inEngine();

describe('MaskHead', () => {
  it("has the official parameters, and the reference's logits, loss and gradients", () => {
    const { forward } = golden;
    const head = new MaskHead({ classes: 20, channels: 32, convs: 4, hidden: 32 });
    const names = stateShapes(head, 'roi_head.mask_head.');
    expect(names).toEqual(forward.state_dict);
    fillGoldenPart(head, 'roi_head.mask_head.');
    const x = tf.tensor4d(goldenMap('mask.x', [10, 32, 14, 14]), [10, 14, 14, 32]);
    const logits = head.forward(x, inferencePass());
    expectGoldenStats(torchOrder(logits), forward.logits, { tolerance: 1e-4 }, 'logits');
    const labels = tf.tensor1d(forward.labels, 'int32');
    const positive = tf.tensor1d(Array(10).fill(true), 'bool');
    const lossOf = (maps: tf.Tensor): tf.Tensor => head.loss(maps as tf.Tensor4D, goldenTargets(), labels, positive);
    expectClose(lossOf(logits).dataSync(), [forward.loss_mask], { rtol: 1e-5 }, 'loss');
    const tolerance = { tolerance: 1e-4, relativeTo: 'max' } as const;
    expectGoldenStats(torchOrder(tf.grad(lossOf)(logits)), forward.grad_logits, tolerance, 'gradient of logits');
    const byInput = tf.grad((input) => lossOf(head.forward(input as tf.Tensor4D, inferencePass())))(x);
    expectGoldenStats(torchOrder(byInput), forward.grad_x, tolerance, 'gradient of features');
    head.dispose();
  });
});

describe('maskTargets', () => {
  /** The bins whose coverage is half to within rounding may fall on either side. */
  const UNDECIDED: Readonly<Record<number, number>> = { 7: 12, 9: 3 };

  it("equal the reference's, from bitmaps of the whole image", () => {
    const { height, width, bitmaps, boxes, assigned_gt, from_bitmap } = targets;
    const pixels = bitmaps.map(({ rle_counts }) => decodeRuns(rle_counts, height, width));
    const masks = tf.stack(pixels.map((values) => tf.tensor2d(values, [height, width]))) as tf.Tensor3D;
    const regions = tf.tile(tf.tensor2d([[0, 0, width, height]]), [bitmaps.length, 1]);
    const rois = tf.tensor2d(goldenValues(boxes), [assigned_gt.length, 4]);
    const rows = tf.tensor1d(assigned_gt, 'int32');
    const size = tf.tensor1d([height, width]);
    const options = { side: 28, sampling: 'adaptive' } as const;
    const received = tf.unstack(maskTargets({ masks, regions }, rois, rows, size, options));
    const expected = tf.unstack(goldenTargets());
    from_bitmap.forEach((_, i) => {
      const different = tf.sum(tf.abs(tf.sub(received[i]!, expected[i]!))).dataSync()[0]!;
      expect([i, different <= (UNDECIDED[i] ?? 0)]).toEqual([i, true]);
    });
  });

  it('come out the same from a crop around the object', () => {
    const whole = tf.tidy(() => {
      const rows = tf.reshape(tf.range(0, 32), [32, 1]);
      const columns = tf.reshape(tf.range(0, 32), [1, 32]);
      const isInside = tf.lessEqual(tf.add(tf.square(tf.sub(rows, 15.5)), tf.square(tf.sub(columns, 15.5))), 60);
      return tf.cast(isInside, 'float32') as tf.Tensor2D;
    });
    const crop = tf.slice(whole, [6, 4], [20, 24]) as tf.Tensor2D;
    const [boxes, rows] = [tf.tensor2d([[7, 8, 26, 24]]), tf.tensor1d([0], 'int32')];
    const options = { side: 8, sampling: 4 } as const;
    const targetsOf = (mask: tf.Tensor2D, region: number[]): tf.TypedArray => {
      const source = { masks: tf.expandDims(mask, 0) as tf.Tensor3D, regions: tf.tensor2d([region]) };
      return maskTargets(source, boxes, rows, tf.tensor1d([32, 32]), options).dataSync();
    };
    expect(targetsOf(crop, [4, 6, 28, 26])).toEqual(targetsOf(whole, [0, 0, 32, 32]));
  });
});

describe('pasteMask', () => {
  const kinds: Readonly<Record<string, () => ArrayLike<number>>> = {
    disc: () => grid((x, y) => 12 * (0.42 - Math.hypot((x + 0.5) / 28 - 0.5, (y + 0.5) / 28 - 0.5))),
    ramp: () => grid((x) => 6 * ((x + 0.5) / 28 - 0.35)),
    full: () => grid(() => 5),
    named: () => goldenNoise('mask.paste', [28, 28]).map((value) => 2 * value),
  };

  function grid(value: (x: number, y: number) => number): number[] {
    return Array.from({ length: 28 * 28 }, (_, i) => value(i % 28, Math.floor(i / 28)));
  }

  function sigmoid(logits: ArrayLike<number>): Float32Array {
    return Float32Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit)));
  }

  it.each(Object.entries(golden.paste.results))('puts masks where the reference puts them: %s', (_, expected) => {
    const boxes = goldenValues(golden.paste.det_bboxes);
    const [height, width] = expected.image;
    golden.paste.kinds.forEach((kind, i) => {
      const scale = expected.rescale ? expected.scale_factor : [1, 1, 1, 1];
      const box = boxes.slice(5 * i, 5 * i + 4).map((value, k) => Math.fround(value / scale[k]!));
      const mask = sigmoid(kinds[kind]!());
      const { data } = pasteMask(mask, box, { height, width });
      expect(decodeRuns(pasteMaskRuns(mask, box, { height, width }), height, width)).toEqual(Float32Array.from(data));
      if (i === golden.degenerate.index) {
        expect(data.some((pixel) => pixel === 1)).toBe(false);
        return;
      }
      const reference = decodeRuns(expected.masks[i]!.rle_counts, height, width);
      const different = data.reduce((count, pixel, at) => count + Number(pixel !== reference[at]), 0);
      expect([i, different <= 3]).toEqual([i, true]);
    });
  });
});
