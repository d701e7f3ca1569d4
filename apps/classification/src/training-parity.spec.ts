import * as tf from '@tensorflow/tfjs-core';
import { createClassifier } from '@pyramidal/backbones';
import { crossEntropy, ForwardPass } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { describeWith, fillWithGolden, goldenFolder, goldenTensor, nchwToNhwc } from '@pyramidal/testing';
import { adamW, createSchedule, trainStep } from '@pyramidal/training';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Statistics {
  readonly mean: number;
  readonly std: number;
}

interface Reference {
  readonly steps: readonly { readonly lr: number; readonly loss: number; readonly grad_norm: number }[];
  readonly parameters: Readonly<Record<string, Statistics>>;
  readonly ema: Readonly<Record<string, Statistics>>;
}

const SHAPE = [4, 3, 64, 96];
const CLASSES = 1000;

/** All 20 updates on WebAssembly, which takes two minutes, with `nx run @pyramidal/classification:test-heavy`. */
const ON_WASM = process.env['PYRAMIDAL_HEAVY'] === '1' ? 20 : 6;

const images = [0, 1, 2, 3].map((index) => nchwToNhwc(goldenTensor(`input.${index}`, SHAPE), SHAPE));

const batchOf = (step: number): tf.NamedTensorMap => ({
  images: tf.tensor4d(images[step % 4]!, [4, 64, 96, 3]),
  labels: tf.tensor1d(
    [0, 1, 2, 3].map((i) => (((step % 4) * 4 + i) * 37) % CLASSES),
    'int32',
  ),
});

function expectStatistics(values: Float32Array, { mean, std }: Statistics): void {
  const found = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - found) ** 2, 0) / values.length;
  expect(Math.abs(found - mean)).toBeLessThan(1e-5);
  expect(relative(Math.sqrt(variance), std)).toBeLessThan(1e-4);
}

const relative = (actual: number, expected: number): number => Math.abs(actual / expected - 1);

describeWith(goldenFolder(), '20 training steps of golden/backbones/training.json', (folder) => {
  // SMT's one operation at a time: as one graph it sums in another order, and where a gradient is zero but for rounding,
  // Adam turns its sign into whole steps. Twelve of them make 1e-6 of the loss into 6e-4. TensorFlow's order of summing depends on the
  // processor as well, so there SMT's gradient norms are compared until then; WebAssembly's, which sums alike everywhere, all through.
  it.each([
    {
      name: 'groupmixformer_miny',
      engine: 'auto',
      formula: 'damped',
      tolerance: 4e-3,
      updates: 20,
      norms: 20,
      compile: true,
    },
    { name: 'smt_tiny', engine: 'auto', formula: 'plain', tolerance: 3e-4, updates: 20, norms: 12, compile: false },
    {
      name: 'smt_tiny',
      engine: 'wasm',
      formula: 'plain',
      tolerance: 3e-4,
      updates: ON_WASM,
      norms: ON_WASM,
      compile: false,
    },
  ] as const)(
    '$name on $engine: loss, gradient norm, learning rate, parameters and averages',
    async ({ name, engine, formula, tolerance, updates, norms, compile }) => {
      await openRuntime({ engine });
      const golden = JSON.parse(readFileSync(join(folder, 'backbones/training.json'), 'utf8')) as {
        runs: Record<string, { float64: Reference }>;
      };
      const { steps, parameters, ema } = golden.runs[name]!.float64;
      const module = createClassifier(name, CLASSES, { dropPath: 0 });
      fillWithGolden(module, formula);
      const step = trainStep({
        module,
        loss: (batch, seed) => {
          const logits = module.forward(batch['images'] as tf.Tensor4D, new ForwardPass({ mode: 'train', seed }));
          return { loss: crossEntropy(logits, batch['labels'] as tf.Tensor1D, { labelSmoothing: 0.1 }) };
        },
        optimizer: adamW(module.parameters(), { weightDecay: 0.05 }),
        compile,
        clipGradNorm: 5,
        emaDecay: 0.9,
      });
      const warmup = { iterations: 5, inclusive: true, shift: true };
      const frame = { lr: 1e-3, length: { iterations: 20 }, updatesPerEpoch: 20 };
      const schedule = createSchedule({ name: 'cosine', minLr: 1e-5, warmup }, frame);

      const seen = Array.from({ length: updates }, (_, update) => {
        const batch = batchOf(update);
        const values = step.run([batch], { update, lr: schedule(update), seed: 0 });
        const [loss, gradNorm] = [values['loss']!, values['gradNorm']!].map((value) => value.dataSync()[0]!);
        tf.dispose([batch, values]);
        return { lr: schedule(update), loss: loss!, gradNorm: gradNorm! };
      });

      for (const [update, { lr, loss, grad_norm: gradNorm }] of steps.slice(0, updates).entries()) {
        expect(relative(seen[update]!.lr, lr)).toBeLessThan(1e-12);
        expect(relative(seen[update]!.loss, loss)).toBeLessThan(tolerance);
        if (update < norms) expect(relative(seen[update]!.gradNorm, gradNorm)).toBeLessThan(tolerance);
      }
      const state = module.state();
      const averages = step.state.get('ema')!.readers();
      for (const [key, expected] of Object.entries(updates === steps.length ? parameters : {})) {
        expectStatistics(state.get(key)!.variable.dataSync<'float32'>(), expected);
        expectStatistics(averages.get(key)!(), ema[key]!);
      }
      step.dispose();
      module.dispose();
    },
  );
});
