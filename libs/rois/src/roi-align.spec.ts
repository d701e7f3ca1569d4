import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { compile } from '@pyramidal/graph';
import { openRuntime } from '@pyramidal/runtime';
import {
  checkGradients,
  expectClose,
  expectGoldenStats,
  expectNoLeaks,
  goldenMap,
  goldenValues,
  torchOrder,
  type GoldenFull,
  type GoldenStats,
} from '@pyramidal/testing';
import { roiAlign, type RoiAlignOptions, type Rois } from './roi-align';
import { extractRois, roiLevels } from './roi-extractor';

interface GoldenAlign {
  readonly output_size: readonly [number, number];
  readonly sampling_ratio: number;
  readonly spatial_scale: number;
  readonly upstream: string;
  readonly output: GoldenStats;
  readonly per_box_sum: readonly number[];
  readonly grad: GoldenStats;
  readonly output_channel0?: GoldenFull;
}

const fixture = (name: string): unknown => JSON.parse(readFileSync(join(__dirname, '../fixtures', name), 'utf8'));
const golden = fixture('roi_align.json') as { rois: number[][]; cases: Record<string, GoldenAlign> };
const extractor = fixture('roi_extractor.json') as {
  levels: { rois: GoldenFull; level: number[] };
  forward: {
    inputs: Record<string, readonly number[]>;
    rois: GoldenFull;
    level: number[];
    output: GoldenStats;
    per_box_sum: number[];
  };
};

function roisOf(rows: readonly (readonly number[])[]): Rois {
  return {
    boxes: tf.tensor2d(rows.map((row) => row.slice(1))),
    images: tf.tensor1d(
      rows.map(([image]) => image!),
      'int32',
    ),
  };
}

function namedMap(name: string, shape: readonly number[]): tf.Tensor4D {
  const [n, c, h, w] = shape as [number, number, number, number];
  return tf.tensor4d(goldenMap(name, shape), [n, h, w, c]);
}

const roiSums = (map: tf.Tensor): ArrayLike<number> => tf.sum(map, [1, 2, 3]).dataSync();

describe.each(['tensorflow', 'wasm', 'cpu'] as const)('RoIAlign, %s', (engine) => {
  beforeAll(async () => {
    await openRuntime({ engine });
  });
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  // The cpu engine reckons in double precision and so puts samples exactly one cell outside on the other side of the
  // border; its segment sums would take minutes over the points of the adaptive cases.
  const cases = engine === 'cpu' ? [] : Object.entries(golden.cases);

  for (const [name, expected] of cases)
    it(`equals the reference, forward and gradient: ${name}`, () => {
      const features = namedMap('roi.feat', [2, 4, 16, 24]);
      const rois = roisOf(golden.rois);
      const sampling = expected.sampling_ratio === 0 ? ('adaptive' as const) : expected.sampling_ratio;
      const align = (map: tf.Tensor4D): tf.Tensor4D =>
        roiAlign({ maps: [map], scales: [expected.spatial_scale] }, rois, { bins: expected.output_size, sampling });
      const output = align(features);
      expectGoldenStats(torchOrder(output), expected.output, { tolerance: 1e-4 }, 'output');
      expectClose(roiSums(output), expected.per_box_sum, { atol: 1e-3, rtol: 1e-4 }, 'sums');
      if (expected.output_channel0 !== undefined) {
        const [first] = tf.unstack(output, 3) as [tf.Tensor];
        expectClose(first.dataSync(), goldenValues(expected.output_channel0), { atol: 1e-4 }, 'first channel');
      }
      const gradient = tf.grad((map) => align(map as tf.Tensor4D))(features, namedMap(expected.upstream, expected.output.shape)); // prettier-ignore
      expectGoldenStats(torchOrder(gradient), expected.grad, { tolerance: 1e-4, relativeTo: 'max' }, 'gradient');
    });

  it('reads each RoI from the level of its size', () => {
    const { levels, forward } = extractor;
    const boxesOf = (full: GoldenFull) => roisOf(full.data as number[][]);
    expect([...roiLevels(boxesOf(levels.rois).boxes, 4).dataSync()]).toEqual(levels.level);
    const rois = boxesOf(forward.rois);
    const maps = Object.entries(forward.inputs).map(([name, shape]) => namedMap(name, shape));
    const options = { bins: [7, 7], sampling: 'adaptive' } as const;
    const output = extractRois(maps, [4, 8, 16, 32], rois, options);
    expectGoldenStats(torchOrder(output), forward.output, { tolerance: 1e-4 }, 'output');
    expectClose(roiSums(output), forward.per_box_sum, { atol: 1e-3, rtol: 1e-4 }, 'sums');
  });

  it('sends a gradient to every level', async () => {
    const rois = roisOf([[0, 1, 2, 9, 12], [1, -3, 0, 7, 5], [0, 4, 4, 4, 9]]); // prettier-ignore
    const maps = [tf.randomNormal([2, 5, 6, 2], 0, 1, 'float32', 1), tf.randomNormal([2, 3, 3, 2], 0, 1, 'float32', 2)];
    const levels = tf.tensor1d([0, 1, 1], 'int32');
    const options: RoiAlignOptions = { bins: [2, 3], sampling: 2 };
    await checkGradients(
      (...xs) => roiAlign({ maps: xs as tf.Tensor4D[], scales: [0.5, 0.25], levels }, rois, options),
      maps,
    );
  });

  it('compiles with a fixed number of points, and gives no RoIs for none', async () => {
    const map = tf.randomNormal<tf.Rank.R4>([2, 8, 8, 3], 0, 1, 'float32', 1);
    const { boxes, images } = roisOf(golden.rois);
    type Inputs = { map: tf.Tensor4D; boxes: tf.Tensor2D; images: tf.Tensor1D };
    const options: RoiAlignOptions = { bins: [7, 7], sampling: 2 };
    const align = (inputs: Inputs) => ({ out: roiAlign({ maps: [inputs.map], scales: [0.125] }, inputs, options) });
    const step = compile(align);
    const [eager, compiled] = [align({ map, boxes, images }).out, step({ map, boxes, images }).out];
    expectClose(compiled.dataSync(), eager.dataSync(), { atol: 1e-5 });
    await expectNoLeaks(() => roiAlign({ maps: [map], scales: [0.125] }, { boxes, images }, options).dispose());
    step.dispose();
    const none: Rois = { boxes: tf.zeros([0, 4]), images: tf.zeros([0], 'int32') };
    expect(roiAlign({ maps: [map], scales: [1] }, none, options).shape).toEqual([0, 7, 7, 3]);
    expect(roiAlign({ maps: [map], scales: [1] }, none, { ...options, sampling: 'adaptive' }).shape).toEqual([
      0, 7, 7, 3,
    ]);
  });
});
