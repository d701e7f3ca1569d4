import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { exportWeights, writeSafetensors } from '@pyramidal/checkpoints';
import type { Module } from '@pyramidal/nn';
import { exportSavedModel, type Runtime } from '@pyramidal/runtime';
import * as tf from '@tensorflow/tfjs-core';

export interface ExportOptions {
  readonly network: Module;
  /** What the SavedModel computes from images, float32 [1, H, W, 3], normalised. */
  readonly outputs: (images: tf.Tensor4D) => Readonly<Record<string, tf.Tensor>>;
  /** Of the images that the SavedModel takes. */
  readonly input: { readonly height: number; readonly width: number };
  readonly runtime: Runtime;
  readonly out: string;
}

/**
 * Writes a network for others: `weights.safetensors` with the official names and PyTorch's layouts and, with the
 * native engine, `saved_model`: normalised `images`, float32 [1, H, W, 3], in, `outputs` out.
 */
export async function exportNetwork({ network, outputs, input, runtime, out }: ExportOptions): Promise<void> {
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
  exportSavedModel((inputs: { images: tf.Tensor4D }) => outputs(inputs.images), { images }, folder);
  images.dispose();
  console.log(`SavedModel: ${folder}`);
}
