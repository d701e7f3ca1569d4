/** What the inference benchmark runs: a classifier of this project on images of 224 x 224. */
import { createClassifier } from '@pyramidal/backbones';
import type { VARIANTS } from '@pyramidal/backbones';
import { inferencePass } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import * as tf from '@tensorflow/tfjs-core';

const SIZE = 224;
const CLASSES = 1000;

/** Opens the native engine and makes the network. @returns its forward pass, and images that it takes. */
export async function openNetwork(name: string, batch: number) {
  await openRuntime({ engine: 'tensorflow', threads: Number(process.env['OMP_NUM_THREADS'] ?? 2) });
  const model = createClassifier(name as keyof typeof VARIANTS, CLASSES);
  model.initialize(1);
  const forward = ({ images }: { images: tf.Tensor4D }) => ({ logits: model.forward(images, inferencePass()) });
  return { forward, images: tf.randomUniform<tf.Rank.R4>([batch, SIZE, SIZE, 3], -1, 1, 'float32', 1) };
}
