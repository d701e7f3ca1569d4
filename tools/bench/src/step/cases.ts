/** What the step benchmark runs: GroupMixFormer's forward pass, or its training step. */
import * as tf from '@tensorflow/tfjs-core';
import { createClassifier } from '@pyramidal/backbones';
import { ForwardPass, crossEntropy, inferencePass, type Classifier } from '@pyramidal/nn';
import { compile } from '@pyramidal/graph';
import { openRuntime } from '@pyramidal/runtime';
import { adamW, trainStep } from '@pyramidal/training';

const SIZE = 224;
const CLASSES = 1000;

type Variant = 'tiny' | 'small';

/** Runs the case once, with the number of the update. */
export type Run = (index: number) => void;

/** Opens the engine and makes the model; the first run records or allocates. */
export async function startCase(mode: string, variant: string, batch: number, task: string): Promise<Run> {
  await openRuntime({
    engine: mode === 'wasm' ? 'wasm' : 'tensorflow',
    threads: Number(process.env['OMP_NUM_THREADS'] ?? 2),
  });
  const model = createClassifier(`groupmixformer_${variant as Variant}`, CLASSES);
  model.initialize(1);
  const compiled = mode === 'compiled';
  const images = tf.randomUniform([batch, SIZE, SIZE, 3], -1, 1, 'float32', 1);
  return task === 'forward' ? forward(model, compiled, images) : training(model, compiled, images);
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
