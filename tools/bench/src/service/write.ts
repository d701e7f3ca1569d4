/**
 * Writes a small model that knows nothing, and measures a bare forward pass of it: `write.ts TASK FILE`. Prints the
 * milliseconds of the median pass.
 */
import { exportWeights, writeSafetensors } from '@pyramidal/checkpoints';
import { assembleClassifier, classificationSchema } from '@pyramidal/classification';
import { assembleDetector, detectionSchema } from '@pyramidal/detection';
import { compile } from '@pyramidal/graph';
import { IMAGENET_NORMALISATION } from '@pyramidal/images';
import { inferencePass, type Module } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { cardTexts } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { median } from '../quantile';

const CLASSES = ['cat', 'dog', 'horse'].map((name, i) => ({ id: i + 1, name, colour: [200, 60 * i, 40] as const }));
const COMMON = {
  data: { root: 'none', workers: 2 },
  train: { epochs: 1, batchSize: 4, optimizer: { name: 'adamw', lr: 1e-3 } },
};
const BACKBONE = { name: 'groupmixformer_miny', depths: [1, 1, 1, 1] };
const RUNS = 30;

interface Toy {
  readonly module: Module;
  readonly config: { readonly input: Readonly<Record<string, number>> };
  readonly forward: (inputs: { images: tf.Tensor4D }) => Record<string, tf.Tensor>;
  /** As it is once it is prepared. */
  readonly image: { readonly height: number; readonly width: number };
}

const TOYS: Readonly<Record<string, () => Toy>> = {
  classification: () => {
    const config = classificationSchema.parse({ ...COMMON, model: { backbone: BACKBONE }, input: { size: 128 } });
    const module = assembleClassifier(config, CLASSES.length);
    const forward = ({ images }: { images: tf.Tensor4D }) => ({ logits: module.forward(images, inferencePass()) });
    return { module, config, forward, image: { height: 128, width: 128 } };
  },
  detection: () => {
    const detector = { name: 'mask-rcnn', boxHidden: 64, maskHidden: 32, testProposals: { perLevel: 200, count: 100 } };
    const model = { backbone: BACKBONE, neck: { channels: 32 }, detector: { ...detector, detections: { count: 20 } } };
    const config = detectionSchema.parse({ ...COMMON, model, input: { shortest: 192, longest: 256 } });
    const module = assembleDetector(config, CLASSES.length);
    const forward = ({ images }: { images: tf.Tensor4D }) => {
      const batch = { images, sizes: tf.tensor2d([[192, 256]]) };
      return { ...module.predict(batch, tf.ones([1, 2]), inferencePass())[0]! };
    };
    return { module, config, forward, image: { height: 192, width: 256 } };
  },
};

async function main([task, file]: string[]): Promise<void> {
  await openRuntime({ engine: 'tensorflow' });
  const { module, config, forward, image } = TOYS[task as string]!();
  module.initialize(1);
  const card = {
    ...{ task: task as string, classes: CLASSES, normalisation: IMAGENET_NORMALISATION },
    ...{ input: config.input, config: JSON.stringify(config) }, // which is YAML too
  };
  writeSafetensors(file as string, await exportWeights(module), cardTexts(card));
  const run = compile(forward, { name: 'forward' });
  const images = tf.randomUniform<tf.Rank.R4>([1, image.height, image.width, 3], -2, 2, 'float32', 1);
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    const outputs = run({ images });
    for (const output of Object.values(outputs)) output.dataSync();
    tf.dispose({ ...outputs });
    return performance.now() - start;
  });
  console.log(median(times.slice(3)));
}

void main(process.argv.slice(2));
