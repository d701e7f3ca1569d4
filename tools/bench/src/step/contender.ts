/**
 * One contender of the step benchmark in a process of its own: `contender.ts MODE VARIANT BATCH CASE`. Reads numbers of
 * repetitions from standard input, one a line, and answers each with a line of JSON; ends with the input.
 */
import * as tf from '@tensorflow/tfjs-core';
import { createInterface } from 'node:readline';
import { createClassifier } from '@pyramidal/backbones';
import { ForwardPass, crossEntropy, inferencePass, type Classifier } from '@pyramidal/nn';
import { compile } from '@pyramidal/graph';
import { openRuntime } from '@pyramidal/runtime';
import { adamW, trainStep } from '@pyramidal/training';

const SIZE = 224;
const CLASSES = 1000;

type Variant = 'tiny' | 'small';
type Run = (index: number) => void;

async function main([mode, variant, batch, task]: string[]): Promise<void> {
  await openRuntime({
    engine: mode === 'wasm' ? 'wasm' : 'tensorflow',
    threads: Number(process.env['OMP_NUM_THREADS'] ?? 2),
  });
  const model = createClassifier(`groupmixformer_${variant as Variant}`, CLASSES);
  model.initialize(1);
  const compiled = mode === 'compiled';
  const images = tf.randomUniform([Number(batch), SIZE, SIZE, 3], -1, 1, 'float32', 1);
  const run = task === 'forward' ? forward(model, compiled, images) : training(model, compiled, images);
  let count = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const wallMs: number[] = [];
    const cpuStart = process.cpuUsage();
    for (let i = 0; i < Number(line); i++) {
      const start = performance.now();
      run(count++);
      wallMs.push(performance.now() - start);
    }
    const cpuMs = process.cpuUsage(cpuStart).user / 1000 / Number(line);
    console.log(JSON.stringify({ wallMs, cpuMs, peakMB: process.resourceUsage().maxRSS / 1024 }));
  }
}

function forward(model: Classifier, compiled: boolean, images: tf.Tensor): Run {
  const predict = ({ images: x }: tf.NamedTensorMap) => ({ logits: model.forward(x as tf.Tensor4D, inferencePass()) });
  const run = compiled ? compile(predict) : (inputs: tf.NamedTensorMap) => tf.tidy(() => predict(inputs));
  return () => read(run({ images }));
}

function training(model: Classifier, compiled: boolean, images: tf.Tensor): Run {
  const labels = tf.tensor1d(
    Int32Array.from({ length: images.shape[0] ?? 1 }, (_, i) => i),
    'int32',
  );
  const step = trainStep({
    module: model,
    optimizer: adamW(model.parameters()),
    clipGradNorm: 5,
    compile: compiled,
    loss: (inputs, seed) => {
      const logits = model.forward(inputs['images'] as tf.Tensor4D, new ForwardPass({ mode: 'train', seed }));
      return { loss: crossEntropy(logits, inputs['labels'] as tf.Tensor1D) };
    },
  });
  return (update) => read(step.run([{ images, labels }], { update, lr: 1e-3, seed: 1 }));
}

/** Waits for the results, as a caller that looks at them does. */
function read(outputs: tf.NamedTensorMap): void {
  for (const tensor of Object.values(outputs)) tensor.dataSync();
  tf.dispose(outputs);
}

void main(process.argv.slice(2));
