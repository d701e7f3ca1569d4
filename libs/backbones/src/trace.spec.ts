/** The output of every module in turn against the official implementations. */
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { inferencePass, type Module } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { expectClose, fillWithGolden, goldenTensor, nchwToNhwc, nhwcIndex, samplePositions } from '@pyramidal/testing';
import { createBackbone } from './create-backbone';

/** Module by module in call order: [module, shape of the official output, mean, std, samples]. */
type TraceRow = readonly [name: string, shape: number[], mean: number, std: number, samples: number[]];

/**
 * Official modules without a counterpart: activations and sequences have no parameters of their own, the relative
 * position encoding's product with the queries is its caller's here, the first stage only passes through parallel blocks,
 * GroupMixFormer projects into its segments one by one, SMT convolves the heads of a modulation together and adds the input of a
 * feed-forward convolution at once.
 */
const WITHOUT_COUNTERPART =
  /\.local_conv_\d$|\.dwconv$|\.act\d$|\.att\.qkv$|^patch_embed1\.conv$|(^|\.)crpe\d?$|\[0\]$/;

beforeAll(async () => {
  await openRuntime();
});

it.each([
  ['groupmixformer_miny', 1e-3],
  ['coat_lite_tiny', 1e-4],
  // Its plain activations reach thousands, where float32 itself is off by 1e-3.
  ['coat_tiny', 1e-2],
  ['smt_tiny', 1e-4],
] as const)('%s: every module gives what the official one gives', (name, tolerance) => {
  const file = join(__dirname, '../fixtures', `${name}.json`);
  const { trace } = JSON.parse(readFileSync(file, 'utf8')) as { trace: { input: number[]; rows: TraceRow[] } };
  const backbone = createBackbone(name, { dropPath: 0 });
  fillWithGolden(backbone);
  const outputs = new Map([...backbone.modules()].map(([key, module]) => [key, recorded(module)]));
  const [n, c, h, w] = trace.input as [number, number, number, number];
  tf.tidy(() => {
    const images = tf.tensor4d(nchwToNhwc(goldenTensor('input', trace.input), trace.input), [n, h, w, c]);
    backbone.forward(images, inferencePass());
    for (const [label, shape, , std, samples] of trace.rows) {
      if (WITHOUT_COUNTERPART.test(label)) continue;
      const values = outputs.get(counterpart(label))!.shift()!.dataSync();
      expect([label, values.length]).toEqual([label, tf.util.sizeFromShape(shape)]);
      const positions = samplePositions(values.length, samples.length);
      const chosen = positions.map((position) => values[shape.length === 4 ? nhwcIndex(position, shape) : position]!);
      expectClose(chosen, samples, { atol: tolerance * std, rtol: tolerance }, label);
    }
  });
  outputs.forEach((left) => tf.dispose(left));
  backbone.dispose();
});

/** The module here that gives an official output; `[1]` and so on count the outputs of one call. */
function counterpart(label: string): string {
  return label.replace(/\[\d\]$/, '');
}

/** From now on keeps what the module's forward returns, tensor by tensor. */
function recorded(module: Module): tf.Tensor[] {
  const outputs: tf.Tensor[] = [];
  const runnable = module as Module & { forward?: (...inputs: unknown[]) => unknown };
  const { forward } = runnable;
  if (forward === undefined) return outputs;
  runnable.forward = (...inputs) => {
    const output = forward.apply(module, inputs);
    outputs.push(...tensorsIn(output).map((tensor) => tf.keep(tensor)));
    return output;
  };
  return outputs;
}

/** The tensors of an output: itself, CoaT's tokens beside their size, or a list of those. */
function tensorsIn(output: unknown): tf.Tensor[] {
  if (output instanceof tf.Tensor) return [output];
  if (Array.isArray(output)) return output.flatMap(tensorsIn);
  if (typeof output === 'object' && output !== null) return Object.values(output).flatMap(tensorsIn);
  return [];
}
