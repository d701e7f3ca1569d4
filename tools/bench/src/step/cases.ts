/** What the step benchmark runs: GroupMixFormer's forward pass, or its training step. */
import * as tf from '@tensorflow/tfjs-core';
import { createClassifier } from '@pyramidal/backbones';
import { ForwardPass, crossEntropy, inferencePass, nameModules, type Classifier } from '@pyramidal/nn';
import { compile, type LoadedGraphSummary } from '@pyramidal/graph';
import { openRuntime } from '@pyramidal/runtime';
import { adamW, trainStep } from '@pyramidal/training';

const SIZE = 224;
const CLASSES = 1000;

type Variant = 'tiny' | 'small';

export interface Case {
  /** Runs it once, with the number of the update. */
  run(index: number): void;
  /** The graphs that it has recorded. */
  explain(): LoadedGraphSummary[];
}

interface CaseOptions {
  /** Names the operations of a compiled step by modules. */
  readonly named?: boolean;
}

/** Opens the engine and makes the model; the first run records or allocates. */
export async function startCase(
  mode: string,
  variant: string,
  batch: number,
  task: string,
  { named = false }: CaseOptions = {},
): Promise<Case> {
  await openRuntime({
    engine: mode === 'wasm' ? 'wasm' : 'tensorflow',
    threads: Number(process.env['OMP_NUM_THREADS'] ?? 2),
  });
  const model = createClassifier(`groupmixformer_${variant as Variant}`, CLASSES);
  model.initialize(1);
  if (named) nameModules(model);
  const compiled = mode === 'compiled';
  const images = tf.randomUniform([batch, SIZE, SIZE, 3], -1, 1, 'float32', 1);
  return task === 'forward' ? forward(model, compiled, images) : training(model, compiled, images);
}

function forward(model: Classifier, compiled: boolean, images: tf.Tensor): Case {
  const predict = ({ images: x }: tf.NamedTensorMap) => ({ logits: model.forward(x as tf.Tensor4D, inferencePass()) });
  if (!compiled) return { run: () => read(tf.tidy(() => predict({ images }))), explain: () => [] };
  const step = compile(predict);
  return { run: () => read(step({ images })), explain: () => step.explain() };
}

function training(model: Classifier, compiled: boolean, images: tf.Tensor): Case {
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
  return {
    run: (update) => read(step.run([{ images, labels }], { update, lr: 1e-3, seed: 1 })),
    explain: () => step.explain(),
  };
}

/** Waits for the results, as a caller that looks at them does. */
function read(outputs: tf.NamedTensorMap): void {
  for (const tensor of Object.values(outputs)) tensor.dataSync();
  tf.dispose(outputs);
}
