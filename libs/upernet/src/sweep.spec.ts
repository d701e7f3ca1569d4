import * as tf from '@tensorflow/tfjs-core';
import { ForwardPass, inferencePass } from '@pyramidal/nn';
import { compile } from '@pyramidal/graph';
import { openRuntime } from '@pyramidal/runtime';
import { expectClose, expectNoLeaks } from '@pyramidal/testing';
import type { DecodeHead } from './decode-head';
import { FcnHead } from './fcn-head';
import { segmentationLoss } from './loss';
import { SemanticFpnHead } from './semantic-fpn-head';
import { UperHead } from './uper-head';

/** What every head promises. */
const CHANNELS = [6, 6, 6, 6];
const HEADS: Readonly<Record<string, () => DecodeHead>> = {
  UperHead: () => new UperHead({ inChannels: CHANNELS, channels: 8, classes: 5 }),
  FcnHead: () => new FcnHead({ index: 0, inChannels: 6, channels: 8, classes: 5, convs: 2, concatInput: true }),
  SemanticFpnHead: () => new SemanticFpnHead({ inChannels: 6, levels: 4, channels: 8, classes: 5 }),
};

const mapsOf = (n: number, height: number, width: number): tf.Tensor4D[] =>
  CHANNELS.map((channels, i) => {
    const stride = 4 * 2 ** i;
    const shape: [number, number, number, number] = [
      n,
      Math.ceil(height / stride),
      Math.ceil(width / stride),
      channels,
    ];
    return tf.randomNormal<tf.Rank.R4>(shape, 0, 1, 'float32', i + 1);
  });

const training = (seed: tf.Tensor1D): ForwardPass => new ForwardPass({ mode: 'train', seed });
const seedOf = (n: number): tf.Tensor1D => tf.tensor1d([n, 1], 'int32');

beforeAll(async () => {
  await openRuntime();
});

describe.each(Object.entries(HEADS))('%s', (_, create) => {
  let head: DecodeHead;
  beforeAll(() => {
    head = create();
    head.initialize(2);
  });
  afterAll(() => head.dispose());

  it.each([
    [64, 64],
    [61, 47],
    [33, 100],
  ])('gives logits of a quarter of %i x %i, and leaves no tensors behind', async (height, width) => {
    const maps = mapsOf(2, height, width);
    await expectNoLeaks(() => {
      const logits = head.forward(maps, inferencePass());
      expect(logits.shape).toEqual([2, Math.ceil(height / 4), Math.ceil(width / 4), 5]);
      logits.dispose();
    });
  });

  it('sends a finite, non-zero gradient to every parameter in training', () => {
    const named = [...head.parameters()];
    const labels = tf.randomUniform<tf.Rank.R3>([2, 61, 47], 0, 5, 'int32', 7);
    const { grads } = tf.variableGrads(
      () => segmentationLoss(head.forward(mapsOf(2, 61, 47), training(seedOf(3))), labels).loss,
      named.map(([, { variable }]) => variable),
    );
    const silent = named.filter(([, { variable }]) => {
      const norm = tf.tidy(() => tf.sum(tf.abs(grads[variable.name]!)).dataSync()[0]!);
      return !(norm > 0 && Number.isFinite(norm));
    });
    expect(silent.map(([key]) => key)).toEqual([]);
  });

  it('is static: compiled training gives the same loss, gradients and running statistics', async () => {
    const labels = tf.randomUniform<tf.Rank.R3>([2, 61, 47], 0, 5, 'int32', 8);
    const step = ({ c2, c3, c4, c5, seed }: Record<string, tf.Tensor>) => {
      const maps = [c2, c3, c4, c5] as tf.Tensor4D[];
      const { value, grads } = tf.variableGrads(
        () => segmentationLoss(head.forward(maps, training(seed as tf.Tensor1D)), labels).loss,
        [head.convSeg.weight.variable],
      );
      return { loss: value, gradient: grads[head.convSeg.weight.variable.name]! };
    };
    const [c2, c3, c4, c5] = mapsOf(2, 61, 47) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    const inputs = { c2, c3, c4, c5, seed: seedOf(5) };
    const values = async (of: { loss: tf.Tensor; gradient: tf.Tensor }): Promise<number[]> => [
      ...(await of.loss.data()),
      ...(await of.gradient.data()),
    ];
    const eager = await values(step(inputs));
    const compiled = compile(step, { name: 'step' });
    expectClose(await values(compiled(inputs)), eager, { rtol: 1e-4, atol: 1e-5 });
    expectClose(await values(compiled(inputs)), eager, { rtol: 1e-4, atol: 1e-5 });
    compiled.dispose();
  });

  it('names the maps it misses', () => {
    expect(() => head.forward([], inferencePass())).toThrow(/expected .* maps?.*, received 0/);
  });
});

it('drops whole channels in training, the same for the same seed', async () => {
  const head = HEADS['FcnHead']!();
  head.initialize(1);
  const maps = mapsOf(1, 32, 32);
  const run = async (n: number): Promise<number[]> => [...(await head.forward(maps, training(seedOf(n))).data())];
  expect(await run(1)).toEqual(await run(1));
  expect(await run(1)).not.toEqual(await run(2));
  head.dispose();
});

it('reads a map of its own width without convolutions only', () => {
  expect(() => new FcnHead({ index: 0, inChannels: 6, channels: 8, classes: 5, convs: 0 })).toThrow(
    'expected 6 channels as its map without convolutions, received 8',
  );
});

describe('segmentationLoss with class weights', () => {
  let logits: tf.Tensor4D;
  let labels: tf.Tensor3D;
  beforeAll(() => {
    const values = [0.3, -1, 2, 1.5, 0.2, -0.7, -0.4, 0.9, 0.1, 2.2, -0.3, 0.6, 0.1, 0.1, 0.5, -1.2, 0.4, 0.8];
    logits = tf.tensor4d(values, [1, 2, 3, 3]);
    labels = tf.tensor3d([2, 0, 255, 1, 255, 2], [1, 2, 3], 'int32');
  });
  afterAll(() => tf.dispose([logits, labels]));

  it("is PyTorch's weighted mean over the labelled pixels", async () => {
    const { loss } = segmentationLoss(logits, labels, [0.5, 2, 3.5]);
    // torch.nn.functional.cross_entropy(logits, labels, weight=..., ignore_index=255), float64, PyTorch 2.15
    expectClose(await loss.data(), [0.8907353129219299], { rtol: 1e-6 });
    // ... and without weights reduction='sum' over the number of all pixels, MMSegmentation's mean
    expectClose(await segmentationLoss(logits, labels).loss.data(), [0.6457345635020474], { rtol: 1e-6 });
  });

  it('is 0 without a labelled pixel, and names another number of weights', async () => {
    const none = tf.fill<tf.Rank.R3>([1, 2, 3], 255, 'int32');
    expect([...(await segmentationLoss(logits, none, [1, 2, 3]).loss.data())]).toEqual([0]);
    expect(() => segmentationLoss(logits, labels, [1])).toThrow(
      'segmentationLoss: expected 3 class weights, received 1',
    );
  });

  it('is static', async () => {
    const compiled = compile(({ x }: { x: tf.Tensor }) => {
      return { loss: segmentationLoss(x as tf.Tensor4D, labels, [0.5, 2, 3.5]).loss };
    }, { name: 'loss' }); // prettier-ignore
    expectClose(await compiled({ x: logits }).loss.data(), [0.8907353129219299], { rtol: 1e-6 });
    compiled.dispose();
  });
});
