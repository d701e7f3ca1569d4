/** Layers against PyTorch's arithmetic. */
import * as tf from '@tensorflow/tfjs-core';
import { openRuntime } from '@pyramidal/runtime';
import { checkGradients, expectClose, expectNoLeaks } from '@pyramidal/testing';
import { BatchNorm } from './batch-norm';
import { Conv2d, DepthwiseConv2d } from './conv';
import { Ffn } from './ffn';
import { ForwardPass, inferencePass } from './forward-pass';
import { GroupNorm } from './group-norm';
import { LayerNorm } from './layer-norm';
import { Linear } from './linear';
import { Mlp } from './mlp';
import type { Module } from './module';
import { MultiHeadAttention } from './multi-head-attention';
import { SeparableConv2d } from './separable-conv';

beforeAll(async () => {
  await openRuntime();
});

const ramp = (shape: number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(0.7 * i)),
    shape,
  );
const training = (): ForwardPass => new ForwardPass({ mode: 'train', seed: tf.tensor1d([1, 2], 'int32') });

describe('Linear', () => {
  it('multiplies the last axis by the PyTorch weight and adds the bias', async () => {
    const linear = new Linear(3, 2);
    linear.weight.assignTorch(Float32Array.of(1, 2, 3, 4, 5, 6));
    linear.bias!.assignTorch(Float32Array.of(10, 20));
    const y = linear.forward(tf.tensor3d([1, 0, 0, 0, 1, 1], [1, 2, 3]));
    expect(y.shape).toEqual([1, 2, 2]);
    expect(Array.from(await y.data())).toEqual([11, 24, 15, 31]);
  });
});

describe('Conv2d', () => {
  it('pads by the same zeros on every side, as PyTorch does, also at stride 2 on an even size', async () => {
    const conv = new Conv2d(1, 1, 3, { stride: 2, bias: false });
    conv.weight.assignTorch(Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0));
    const image = tf.tensor4d(
      Float32Array.from({ length: 16 }, (_, i) => i + 1),
      [1, 4, 4, 1],
    );
    // The upper left tap of the window centred at (0, 0), (0, 2), (2, 0), (2, 2).
    expect(Array.from(await conv.forward(image).data())).toEqual([0, 0, 0, 6]);
  });
});

describe('DepthwiseConv2d', () => {
  it('shares its filters between maps that lie side by side', async () => {
    const conv = new DepthwiseConv2d(2, 3);
    conv.initialize(3);
    const [left, right] = [ramp([1, 4, 5, 2]), tf.neg(ramp([1, 4, 5, 2]))] as [tf.Tensor4D, tf.Tensor4D];
    const together = conv.forward(tf.concat([left, right], 3));
    const apart = tf.concat([conv.forward(left), conv.forward(right)], 3);
    expectClose(await together.data(), await apart.data(), { atol: 1e-6 });
  });

  it('adds its input where that is asked for', async () => {
    const [plain, residual] = [new DepthwiseConv2d(4, 3), new DepthwiseConv2d(4, 3, { residual: true })];
    for (const conv of [plain, residual]) conv.initialize(1);
    const x = ramp([2, 5, 6, 4]) as tf.Tensor4D;
    expectClose(await residual.forward(x).data(), await tf.add(x, plain.forward(x)).data(), { atol: 1e-6 });
  });
});

describe('BatchNorm', () => {
  it('normalises by the batch and moves running statistics by the unbiased variance', async () => {
    const norm = new BatchNorm(1);
    norm.initialize(0);
    const y = norm.forward(tf.tensor2d([1, 2, 3, 6], [4, 1]), training());
    // Mean 3, biased variance 3.5, unbiased 14 / 3.
    const scale = 1 / Math.sqrt(3.5 + 1e-5);
    expectClose(await y.data(), [-2 * scale, -scale, 0, 3 * scale], { atol: 1e-5 });
    expectClose(await norm.runningMean.toTorch(), [0.3], { atol: 1e-6 });
    expectClose(await norm.runningVar.toTorch(), [0.9 + 0.1 * (14 / 3)], { atol: 1e-5 });
  });

  it.each(['the pass', 'the layer'])('leaves running statistics alone when %s is frozen', async (frozen) => {
    const norm = new BatchNorm(1);
    norm.initialize(0);
    norm.freeze(frozen === 'the layer');
    const pass = new ForwardPass({ mode: 'train', batchNorm: frozen === 'the pass' ? 'running' : 'batch' });
    const y = norm.forward(tf.tensor2d([1, 2], [2, 1]), pass);
    expectClose(await y.data(), [1, 2], { rtol: 1e-5 });
    expect([...(await norm.runningMean.toTorch())]).toEqual([0]);
  });
});

describe('GroupNorm', () => {
  it('needs groups of equal size', () => {
    expect(() => new GroupNorm(48)).toThrow('GroupNorm: expected channels in 32 groups of equal size, received 48');
  });
});

describe('MultiHeadAttention', () => {
  const inputs = () => {
    const [queries, keys, values] = [0, 1, 2].map((phase) => tf.sin(tf.add(ramp([2, 3, 4]), phase))) as [
      tf.Tensor3D,
      tf.Tensor3D,
      tf.Tensor3D,
    ];
    return { queries, keys, values };
  };

  it('attends with each head apart, as written out', async () => {
    const attention = new MultiHeadAttention(4, { heads: 2 });
    attention.initialize(1);
    const [weight, bias] = [await attention.inProjWeight.toTorch(), tf.linspace(-0.5, 0.5, 12)];
    attention.inProjBias.assignTorch(await bias.data<'float32'>());
    expect(attention.inProjWeight.torchShape).toEqual([12, 4]);
    const matrix = tf.tensor2d(weight, [12, 4]);
    const [q, k, v] = Object.values(inputs()).map((x, part) => {
      const own = tf.slice(matrix, [4 * part, 0], [4, 4]);
      const rows = tf.matMul(tf.reshape(x, [6, 4]), own, false, true);
      return tf.reshape(tf.add(rows, tf.slice(bias, 4 * part, 4)), [2, 3, 2, 2]);
    }) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    const headOf = (x: tf.Tensor4D, head: number): tf.Tensor3D =>
      tf.squeeze(tf.slice(x, [0, 0, head, 0], [2, 3, 1, 2]), [2]);
    const heads = [0, 1].map((head) => {
      const similarities = tf.mul(tf.matMul(headOf(q, head), headOf(k, head), false, true), Math.SQRT1_2);
      return tf.matMul(tf.softmax(similarities), headOf(v, head));
    });
    const expected = attention.outProj.forward(tf.concat(heads, 2));
    const found = attention.forward(inputs(), inferencePass());
    expectClose(await found.data(), await expected.data(), { atol: 1e-6 });
  });

  it('does not see what its mask hides', async () => {
    const attention = new MultiHeadAttention(4, { heads: 2 });
    attention.initialize(1);
    const mask = tf.tensor4d([0, 0, -Infinity], [1, 1, 1, 3]);
    const { queries, keys, values } = inputs();
    const seen = attention.forward({ queries, keys, values, mask }, inferencePass());
    const firstTwo = (x: tf.Tensor3D): tf.Tensor3D => tf.slice(x, [0, 0, 0], [2, 2, 4]);
    const left = attention.forward({ queries, keys: firstTwo(keys), values: firstTwo(values) }, inferencePass());
    expectClose(await seen.data(), await left.data(), { atol: 1e-6 });
  });

  it('needs heads of equal width', () => {
    expect(() => new MultiHeadAttention(4, { heads: 3 })).toThrow(
      'MultiHeadAttention: expected channels in 3 heads of equal width, received 4',
    );
  });
});

describe('ForwardPass', () => {
  it('drops nothing at inference and the same cells for the same seed', async () => {
    const x = tf.ones([4, 50]);
    expect(inferencePass().dropout(x, 0.5)).toBe(x);
    const once = Array.from(await training().dropout(x, 0.5).data());
    expect(Array.from(await training().dropout(x, 0.5).data())).toEqual(once);
    expect(new Set(once)).toEqual(new Set([0, 2]));
  });

  it('draws anew for every place in the network', async () => {
    const pass = training();
    const x = tf.ones([4, 50]);
    const [first, second] = [pass.dropout(x, 0.5), pass.dropout(x, 0.5)];
    expect(Array.from(await first.data())).not.toEqual(Array.from(await second.data()));
  });

  it('shows attention to whoever looks on, and computes it for nobody', () => {
    const [module, attention] = [new Linear(1, 1), { weights: tf.ones([2]), map: tf.ones<tf.Rank.R4>([1, 1, 2, 1]) }];
    const seen: unknown[] = [];
    const pass = new ForwardPass({ mode: 'infer', onAttention: (...shown) => seen.push(shown) });
    pass.showAttention(module, () => attention);
    expect(seen).toEqual([[module, attention]]);
    inferencePass().showAttention(module, () => {
      throw new Error('computed for nobody');
    });
  });

  it('drops nothing in blocks that are frozen', () => {
    const [block, x] = [new Linear(1, 1), tf.ones([2, 2])];
    const run = (input: tf.Tensor, pass: ForwardPass): tf.Tensor => pass.dropPath(input, 0.5);
    const pass = new ForwardPass({ mode: 'train' });
    expect(() => pass.through([block], x, run)).toThrow('needs a seed');
    block.freeze();
    expect(pass.through([block], x, run)).toBe(x);
    expect(() => pass.through([block, new Linear(1, 1)], x, run)).toThrow('needs a seed');
  });

  it('asks for a seed when something is to be dropped', () => {
    const pass = new ForwardPass({ mode: 'train' });
    expect(() => pass.dropPath(tf.ones([2, 2]), 0.1)).toThrow('needs a seed');
  });
});

describe.each<[string, () => Module & { forward(x: tf.Tensor, pass: ForwardPass): tf.Tensor }, number[]]>([
  ['Linear', () => new Linear(4, 3), [2, 5, 4]],
  ['Conv2d', () => new Conv2d(4, 3, 3, { stride: 2 }) as never, [2, 5, 6, 4]],
  ['DepthwiseConv2d', () => new DepthwiseConv2d(4, 5) as never, [2, 5, 6, 4]],
  ['SeparableConv2d', () => new SeparableConv2d(4, 3, 3) as never, [2, 5, 6, 4]],
  ['BatchNorm', () => new BatchNorm(4), [2, 3, 3, 4]],
  ['LayerNorm', () => new LayerNorm(4), [2, 5, 4]],
  ['GroupNorm', () => new GroupNorm(4, { groups: 2 }), [2, 5, 3, 4]],
  ['Ffn', () => new Ffn(4, 8), [2, 5, 4]],
  ['Mlp', () => new Mlp(4, 8), [2, 5, 4]],
])('%s', (_, create, shape) => {
  it('has the gradients that finite differences give, to its input and its parameters', async () => {
    const module = create();
    module.initialize(1);
    await checkGradients((x) => module.forward(x!, training()), [ramp(shape)]);
    for (const { variable } of module.parameters().values()) {
      const { grads, value } = tf.variableGrads(
        () => tf.sum(tf.square(module.forward(ramp(shape), training()))),
        [variable],
      );
      expect(tf.tidy(() => tf.all(tf.isFinite(grads[variable.name]!)).dataSync()[0])).toBe(1);
      tf.dispose([grads, value]);
    }
    module.dispose();
  });

  it('leaves no tensors behind', async () => {
    const module = create();
    module.initialize(1);
    const x = ramp(shape);
    await expectNoLeaks(() => module.forward(x, inferencePass()).dispose());
    module.dispose();
    x.dispose();
  });
});
