/** MAFormer against its paper's steps written out, as there is no official code. */
import * as tf from '@tensorflow/tfjs-core';
import { type AttentionObserver, ForwardPass, inferencePass, type Linear, type Module } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { checkGradients, expectClose, expectNoLeaks } from '@pyramidal/testing';
import { AttentionFusion, MaFormer, maFormer, MaFormerClassifier, SelfAttention } from './maformer';

beforeAll(async () => {
  await openRuntime();
});

type Matrix = number[][];

const wave = (index: number): number => Math.sin(0.9 * index + 1);
const waves = (shape: [number, number, number, number]): tf.Tensor4D =>
  tf.tensor4d(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => wave(i)),
    shape,
  );

function fillWithWaves(module: Module): void {
  [...module.state().values()].forEach((parameter, k) => {
    parameter.assignTorch(Float32Array.from({ length: parameter.size }, (_, i) => 0.6 * wave(2 * i + 5 * k)));
  });
}

/** rows x W^T + b, with W and b in PyTorch's order. */
async function linear(rows: Matrix, { weight, bias, outFeatures }: Linear): Promise<Matrix> {
  const [w, b] = [await weight.toTorch(), await bias!.toTorch()];
  return rows.map((row) =>
    Array.from({ length: outFeatures }, (_, o) => {
      return row.reduce((sum, value, i) => sum + value * w[o * row.length + i]!, b[o]!);
    }),
  );
}

/** One head of softmax(q k^T / sqrt(width)) v. */
function attend(queries: Matrix, keys: Matrix, values: Matrix): Matrix {
  return queries.map((query) => {
    const similarities = keys.map((key) => {
      return query.reduce((sum, value, c) => sum + value * key[c]!, 0) / Math.sqrt(query.length);
    });
    const weights = similarities.map((similarity) => Math.exp(similarity));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return query.map((_, c) => values.reduce((sum, value, s) => sum + (weights[s]! / total) * value[c]!, 0));
  });
}

const columns = (rows: Matrix, from: number, to: number): Matrix => rows.map((row) => row.slice(from, to));
const transposed = (rows: Matrix): Matrix => rows[0]!.map((_, c) => rows.map((row) => row[c]!));

describe('AttentionFusion', () => {
  /** A 4x4 map of 2 channels, one head, four windows of 2x2 cells, 16 cells down to 8 global tokens. */
  const toy = { channels: 2, heads: 1, window: 2, grid: [4, 4] as const };

  it.each(['input', 'local'] as const)('is what its steps written out give (global tokens from %s)', async (from) => {
    const fusion = new AttentionFusion({ ...toy, globalFrom: from });
    fillWithWaves(fusion);
    const x = waves([1, 4, 4, 2]);
    const cells: Matrix = Array.from({ length: 16 }, (_, cell) => [wave(2 * cell), wave(2 * cell + 1)]);

    const attended: Matrix = [];
    for (const corner of [0, 2, 8, 10]) {
      const inside = [corner, corner + 1, corner + 4, corner + 5];
      const qkv = await linear(
        inside.map((cell) => cells[cell]!),
        fusion.local.qkv,
      );
      const answers = attend(columns(qkv, 0, 2), columns(qkv, 2, 4), columns(qkv, 4, 6));
      inside.forEach((cell, i) => (attended[cell] = answers[i]!));
    }
    const local = await linear(attended, fusion.local.proj);

    const positions = await fusion.global.positions.toTorch();
    const seen = (from === 'input' ? cells : local).map((row, cell) => {
      return row.map((value, c) => value + positions[2 * cell + c]!);
    });
    const globalTokens = transposed(await linear(transposed(seen), fusion.global.tokens));
    expect(globalTokens.length).toBe(8);

    const kv = await linear(globalTokens, fusion.kv);
    const fused = attend(await linear(local, fusion.q), columns(kv, 0, 2), columns(kv, 2, 4));
    const expected = await linear(fused, fusion.proj);
    const output = fusion.forward(x, inferencePass());
    expect(output.shape).toEqual([1, 4, 4, 2]);
    expectClose(await output.data(), expected.flat(), { atol: 1e-5 });
  });

  it('resizes maps of another size to the grid of its token layer', async () => {
    const fusion = new AttentionFusion({ ...toy, globalFrom: 'input' });
    fillWithWaves(fusion);
    // A flat map stays flat when it is resized, so without positions both sizes give the same global tokens.
    fusion.global.positions.assignTorch(new Float32Array(32));
    const flat = (side: number): tf.Tensor4D => tf.tile(tf.tensor4d([0.3, -0.8], [1, 1, 1, 2]), [1, side, side, 1]);
    const [same, other] = [fusion.global.forward(flat(4)), fusion.global.forward(flat(7))];
    expect(other.shape).toEqual([1, 8, 2]);
    expectClose(await other.data(), await same.data(), { atol: 1e-6 });
  });

  it('has the gradients that finite differences give', async () => {
    const fusion = new AttentionFusion({ ...toy, globalFrom: 'input' });
    fillWithWaves(fusion);
    await checkGradients((x) => fusion.forward(x as tf.Tensor4D, inferencePass()), [waves([1, 5, 3, 2])]);
  });
});

describe('SelfAttention', () => {
  it('attends to no padding: a cut-off window gives what its cells alone give', async () => {
    const attention = new SelfAttention(4, 2, 3);
    fillWithWaves(attention);
    const map = waves([2, 5, 4, 4]);
    const whole = attention.forward(map, inferencePass());
    // The last window holds rows 3 and 4 of column 3.
    const corner = (x: tf.Tensor4D): tf.Tensor4D => tf.slice(x, [0, 3, 3, 0], [-1, 2, 1, -1]);
    const alone = new SelfAttention(4, 2);
    fillWithWaves(alone);
    expectClose(await corner(whole).data(), await alone.forward(corner(map), inferencePass()).data(), { atol: 1e-5 });
  });
});

describe('MaFormer', () => {
  it.each([
    ['maformer_small', 23e6],
    ['maformer_base', 53e6],
    ['maformer_large', 105e6],
  ] as const)('%s has about %d parameters', (name, published) => {
    const classifier = new MaFormerClassifier(new MaFormer(maFormer.variants[name]), 1000);
    expect(Math.abs(classifier.parameterCount() / published - 1)).toBeLessThan(0.02);
  });

  it('gives a pyramid of an 800 x 1333 image, and says before what size', async () => {
    const options = { channels: [32, 32, 32, 32], depths: [1, 1, 1, 1], mlpRatios: [1, 1, 1, 1] } as const;
    const backbone = new MaFormer(options);
    backbone.initialize(1);
    const images = tf.randomNormal<tf.Rank.R4>([1, 800, 1333, 3], 0, 1, 'float32', 1);
    await expectNoLeaks(() => {
      const pyramid = backbone.forward(images, inferencePass());
      expect(backbone.mapSizes(800, 1333)).toEqual({ C2: [200, 334], C3: [100, 167], C4: [50, 84], C5: [25, 42] });
      expect(pyramid.C2.shape).toEqual([1, 200, 334, 32]);
      expect(pyramid.C5.shape).toEqual([1, 25, 42, 32]);
      for (const map of Object.values(pyramid)) {
        expect(tf.tidy(() => tf.all(tf.isFinite(map)).dataSync()[0])).toBe(1);
      }
      tf.dispose(pyramid);
    });
    images.dispose();
    backbone.dispose();
  });

  it('shows the weights of both streams', () => {
    const backbone = new MaFormer({ ...maFormer.variants.maformer_small, depths: [1, 1, 1, 1] });
    backbone.initialize(1);
    const shown = new Map<Module, number[]>();
    const totals = new Map<Module, Float32Array>();
    const onAttention: AttentionObserver = (module, { weights, map }) => {
      shown.set(module, weights.shape);
      totals.set(module, tf.sum(map, [0, 1, 2]).dataSync() as Float32Array);
    };
    const pass = new ForwardPass({ mode: 'infer', onAttention });
    tf.dispose(backbone.forward(tf.zeros([1, 64, 64, 3]), pass));
    const modules = backbone.modules();
    expect(shown.get(modules.get('stages.0.blocks.0.attn.local')!)).toEqual([9, 2, 49, 49]);
    expect(shown.get(modules.get('stages.0.blocks.0.attn')!)).toEqual([1, 2, 256, 1568]);
    expect(shown.get(modules.get('stages.3.blocks.0.attn')!)).toEqual([1, 16, 4, 4]);
    // The cells of a whole window share what one query has to give; the map has 256 cells, a window 49.
    expectClose(totals.get(modules.get('stages.0.blocks.0.attn.local')!)!, [256 / 49, 256 / 49], { rtol: 1e-4 });
    expectClose(totals.get(modules.get('stages.3.blocks.0.attn')!)!, new Array(16).fill(1), { rtol: 1e-4 });
    backbone.dispose();
  });

  it('names the widths that it cannot cut into heads', () => {
    const options = { ...maFormer.variants.maformer_small, channels: [64, 100, 256, 512] as const };
    expect(() => new MaFormer(options)).toThrow('MAFormer: expected channels in multiples of 32, received 100');
  });
});
