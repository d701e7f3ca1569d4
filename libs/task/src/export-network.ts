/** `export`, whatever the task: a trained network for PyTorch, for TensorFlow and for browsers. */
import { join } from 'node:path';
import { exportWeights, writeSafetensors } from '@pyramidal/checkpoints';
import { makeFolder } from '@pyramidal/files';
import type { Module } from '@pyramidal/nn';
import { exportGraphModel, exportSavedModel } from '@pyramidal/graph';
import { type Runtime } from '@pyramidal/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { exportOnnx, type OnnxTask } from './export-onnx';

export interface ExportOptions {
  readonly network: Module;
  /** What the models compute from images, float32 [1, H, W, 3], normalised. */
  readonly outputs: (images: tf.Tensor4D) => Readonly<Record<string, tf.Tensor>>;
  /** Of the images that the models take. */
  readonly input: { readonly height: number; readonly width: number };
  /** Whether browsers can run the network as a graph model, whose plain `predict` suppresses no boxes. */
  readonly inBrowsers: boolean;
  /** What the ONNX model gives, which is made for those who know nothing of this project. */
  readonly onnx: OnnxTask;
  readonly runtime: Runtime;
  readonly out: string;
}

/**
 * Writes a network for others: `weights.safetensors` with the official names and PyTorch's layouts and, with the
 * native engine, `saved_model` and, for browsers, `graph_model`: normalised `images`, float32 [1, H, W, 3], in, `outputs`
 * out; and `model.onnx`, see `exportOnnx`.
 */
export async function exportNetwork(options: ExportOptions): Promise<void> {
  const { network, outputs, input, inBrowsers, onnx, runtime, out } = options;
  makeFolder(out);
  const weights = join(out, 'weights.safetensors');
  writeSafetensors(weights, await exportWeights(network), { format: 'pt' });
  console.log(`weights for PyTorch: ${weights}`);
  if (!runtime.engine.startsWith('tensorflow')) {
    console.log(`no SavedModel and no ONNX model: the engine ${runtime.engine} writes none, tensorflow does`);
    return;
  }
  const images = tf.zeros<tf.Rank.R4>([1, input.height, input.width, 3]);
  const model = (inputs: { images: tf.Tensor4D }) => outputs(inputs.images);
  const savedModel = join(out, 'saved_model');
  exportSavedModel(model, { images }, savedModel);
  console.log(`SavedModel: ${savedModel}`);
  if (inBrowsers) {
    const graphModel = join(out, 'graph_model');
    exportGraphModel(model, { images }, graphModel);
    console.log(`TensorFlow.js graph model: ${graphModel}`);
  }
  images.dispose();
  const onnxModel = join(out, 'model.onnx');
  exportOnnx(onnx, input, onnxModel);
  console.log(`ONNX model: ${onnxModel}`);
}
