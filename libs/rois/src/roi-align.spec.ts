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
import { recordsAdaptiveRois, roiAlign, type RoiAlignOptions, type Rois } from './roi-align';
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

  const ways = engine === 'tensorflow' ? [false, true] : [false];
  for (const [name, expected] of cases)
    it.each(ways)(`equals the reference, forward and gradient: ${name}, compiled: %s`, (isCompiled) => {
      const features = namedMap('roi.feat', [2, 4, 16, 24]);
      const rois = roisOf(golden.rois);
      const sampling = expected.sampling_ratio === 0 ? ('adaptive' as const) : expected.sampling_ratio;
      const align = (map: tf.Tensor4D): tf.Tensor4D =>
        roiAlign({ maps: [map], scales: [expected.spatial_scale] }, rois, { bins: expected.output_size, sampling });
      const outputs = ({ map, dy }: Record<string, tf.Tensor>) => ({
        output: align(map as tf.Tensor4D),
        gradient: tf.grad((x) => align(x as tf.Tensor4D))(map!, dy),
      });
      const run = isCompiled ? compile(outputs) : outputs;
      const { output, gradient } = run({ map: features, dy: namedMap(expected.upstream, expected.output.shape) });
      expectGoldenStats(torchOrder(output), expected.output, { tolerance: 1e-4 }, 'output');
      expectClose(roiSums(output), expected.per_box_sum, { atol: 1e-3, rtol: 1e-4 }, 'sums');
      if (expected.output_channel0 !== undefined) {
        const [first] = tf.unstack(output, 3) as [tf.Tensor];
        expectClose(first.dataSync(), goldenValues(expected.output_channel0), { atol: 1e-4 }, 'first channel');
      }
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

  it('reads every channel alike, however many there are', () => {
    const map = tf.randomNormal<tf.Rank.R4>([2, 5, 6, 3], 0, 1, 'float32', 1);
    const rois = roisOf([[0, 1, 2, 40, 21], [1, -9, 0, 27, 60], [0, 30, 20, 31, 20], [1, 50, 30, 40, 10]]); // prettier-ignore
    const align = (x: tf.Tensor): tf.Tensor =>
      roiAlign({ maps: [x as tf.Tensor4D], scales: [0.125] }, rois, { bins: [3, 2], sampling: 2 });
    const wide = (x: tf.Tensor): tf.Tensor => tf.tile(x, [1, 1, 1, 4]);
    const step = compile(({ x, dy }: Record<string, tf.Tensor>) => ({ y: align(x!), dx: tf.grad(align)(x!, dy) }));
    const dy = tf.randomNormal([4, 3, 2, 3], 0, 1, 'float32', 2);
    const { y, dx } = step({ x: wide(map), dy: wide(dy) });
    expectClose(y.dataSync(), wide(align(map)).dataSync(), { atol: 1e-6 });
    expectClose(dx.dataSync(), wide(tf.grad(align)(map, dy)).dataSync(), { atol: 1e-5 });
    step.dispose();
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
    expect(recordsAdaptiveRois()).toBe(engine === 'tensorflow');
    if (recordsAdaptiveRois()) {
      const adaptive = compile(({ map: x }: Pick<Inputs, 'map'>) => ({
        out: roiAlign({ maps: [x], scales: [0.125] }, { boxes, images }, { ...options, sampling: 'adaptive' }),
      }));
      const expected = roiAlign(
        { maps: [map], scales: [0.125] },
        { boxes, images },
        { ...options, sampling: 'adaptive' },
      );
      expectClose(adaptive({ map }).out.dataSync(), expected.dataSync(), { atol: 1e-5 });
      adaptive.dispose();
    }
    const none: Rois = { boxes: tf.zeros([0, 4]), images: tf.zeros([0], 'int32') };
    expect(roiAlign({ maps: [map], scales: [1] }, none, options).shape).toEqual([0, 7, 7, 3]);
    expect(roiAlign({ maps: [map], scales: [1] }, none, { ...options, sampling: 'adaptive' }).shape).toEqual([
      0, 7, 7, 3,
    ]);
  });
});
