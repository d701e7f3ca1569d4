import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { exportWeights, writeSafetensors } from '@pyramidal/checkpoints';
import { inferencePass, type ForwardPass, type Module } from '@pyramidal/nn';
import { exportSavedModel, type Runtime } from '@pyramidal/runtime';
import * as tf from '@tensorflow/tfjs-core';

/** A network from images to logits. */
type Network = Module & { forward(images: tf.Tensor4D, pass: ForwardPass): tf.Tensor };

export interface ExportOptions {
  readonly network: Network;
  /** Of the images that the SavedModel takes. */
  readonly input: { readonly height: number; readonly width: number };
  readonly runtime: Runtime;
  readonly out: string;
}

/**
 * Writes a network for others: `weights.safetensors` with the official names and PyTorch's layouts and, with the
 * native engine, `saved_model`: normalised `images`, float32 [1, H, W, 3], in, `logits` out.
 */
export async function exportNetwork({ network, input, runtime, out }: ExportOptions): Promise<void> {
  mkdirSync(out, { recursive: true });
  const weights = join(out, 'weights.safetensors');
  writeSafetensors(weights, await exportWeights(network), { format: 'pt' });
  console.log(`weights for PyTorch: ${weights}`);
  if (!runtime.engine.startsWith('tensorflow')) {
    console.log(`no SavedModel: the engine ${runtime.engine} writes none, tensorflow does`);
    return;
  }
  const folder = join(out, 'saved_model');
  const images = tf.zeros<tf.Rank.R4>([1, input.height, input.width, 3]);
  const forward = (inputs: { images: tf.Tensor4D }) => ({ logits: network.forward(inputs.images, inferencePass()) });
  exportSavedModel(forward, { images }, folder);
  images.dispose();
  console.log(`SavedModel: ${folder}`);
}
