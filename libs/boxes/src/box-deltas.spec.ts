/** Box deltas against those of MMDetection. */
import * as tf from '@tensorflow/tfjs-core';
import {
  checkGradients,
  expectClose,
  expectNoLeaks,
  goldenValues,
  inEngine,
  readFixture,
  type GoldenFull,
} from '@pyramidal/testing';
import { clipBoxes } from './boxes';
import { decodeDeltas, encodeDeltas, type DeltaOptions } from './box-deltas';

type Four = readonly [number, number, number, number];
type Part = Readonly<Record<string, GoldenFull>> & {
  readonly config: { readonly target_means: Four; readonly target_stds: Four };
};

const golden = readFixture(__dirname, 'bbox_coder') as {
  boxes: GoldenFull;
  gts: GoldenFull;
  deltas: GoldenFull;
  multiclass_deltas: GoldenFull;
  cases: Record<string, Part>;
};

const tensor = (full: GoldenFull): tf.Tensor => tf.tensor(goldenValues(full), [...full.shape]);
const IMAGE = [128, 192];

/** Within 1e-5 of the value, and equal where it is not finite. */
function expectBoxes(received: tf.Tensor, expected: GoldenFull | undefined, what: string): void {
  const values = goldenValues(expected!);
  expect(received.shape).toEqual(expected!.shape);
  const actual = received.dataSync();
  const finite = values.flatMap((value, i) => (Number.isFinite(value) ? [i] : []));
  values.forEach((value, i) => {
    if (!Number.isFinite(value)) expect(actual[i]).toBe(value);
  });
  expectClose(
    finite.map((i) => actual[i]!),
    finite.map((i) => values[i]!),
    { rtol: 1e-5, atol: 1e-5 },
    what,
  );
}

inEngine();

describe('encodeDeltas, decodeDeltas', () => {
  it('shift and scale by the sides of the box', () => {
    const box = tf.tensor2d([[0, 0, 10, 20]]);
    const target = tf.tensor2d([[5, 10, 15, 30]]);
    const deltas = encodeDeltas(box, target);
    expectClose(deltas.dataSync(), [0.5, 0.5, 0, 0], { atol: 1e-6 });
    expectClose(decodeDeltas(box, deltas).dataSync(), [5, 10, 15, 30], { atol: 1e-5 });
  });

  it.each(['rpn', 'rcnn', 'cascade3', 'nonzero_means'])('equal the reference with the settings of %s', (name) => {
    const expected = golden.cases[name]!;
    const options: DeltaOptions = { means: expected.config.target_means, stds: expected.config.target_stds };
    const [boxes, targets, deltas] = [tensor(golden.boxes), tensor(golden.gts), tensor(golden.deltas)];
    expectBoxes(encodeDeltas(boxes, targets, options), expected['encode'], 'encode');
    const decoded = decodeDeltas(boxes, deltas, options);
    expectBoxes(decoded, expected['decode'], 'decode');
    if (expected['decode_max_shape'] === undefined) return;
    const size = tf.tensor1d(IMAGE);
    expectBoxes(clipBoxes(decoded, size), expected['decode_max_shape'], 'clipped');
    const perClass = tf.reshape(tensor(golden.multiclass_deltas), [8, 3, 4]);
    const classBoxes = clipBoxes(decodeDeltas(tf.expandDims(boxes, 1), perClass, options), size);
    expectBoxes(tf.reshape(classBoxes, [8, 12]), expected['decode_multiclass_max_shape'], 'class boxes');
  });

  it('clamps log scales where it is told to, and clips only when asked', () => {
    const [boxes, deltas] = [tensor(golden.boxes), tensor(golden.deltas)];
    const limited = decodeDeltas(boxes, deltas, { maxLogScale: Math.log(2) });
    expectBoxes(limited, golden.cases['wh_ratio_clip_0.5']!['decode'], 'limited');
    expectBoxes(decodeDeltas(boxes, deltas), golden.cases['clip_border_false']!['decode_max_shape'], 'not clipped');
  });

  it('clips each image of a batch by its own size', () => {
    const decoded = decodeDeltas(tensor(golden.boxes), tensor(golden.deltas));
    const images = tf.split(decoded, 2);
    const clipped = [IMAGE, [60, 90]].map((size, i) => clipBoxes(images[i]!, tf.tensor1d(size)));
    expectBoxes(tf.stack(clipped), golden.cases['batched_max_shape']!['decode'], 'batch');
  });

  it('gives what the arithmetic gives for degenerate boxes', () => {
    const expected = golden.cases['degenerate_encode']!;
    expectBoxes(encodeDeltas(tensor(expected['boxes']!), tensor(expected['gts']!)), expected['encode'], 'degenerate');
  });

  it('sends a gradient to the deltas', async () => {
    const boxes = tf.tensor2d([[0, 0, 2, 3], [1, 1, 4, 2]]); // prettier-ignore
    const deltas = tf.tensor2d([[0.1, -0.2, 0.3, 0.1], [0.4, 0.1, -0.2, 0.2]]); // prettier-ignore
    await checkGradients((d) => decodeDeltas(boxes, d), [deltas]);
    await expectNoLeaks(() => decodeDeltas(boxes, deltas).dispose());
  });
});
