/** `export`, whatever the task: a trained network for PyTorch, for TensorFlow, for browsers and for ONNX Runtime. */
import { join } from 'node:path';
import { exportWeights, writeSafetensors } from '@pyramidal/checkpoints';
import { makeFolder } from '@pyramidal/files';
import type { Module } from '@pyramidal/nn';
import { exportGraphModel, exportSavedModel } from '@pyramidal/graph';
import { type Runtime } from '@pyramidal/runtime';
import * as tf from '@tensorflow/tfjs-core';
import { exportOnnx, type OnnxTask } from './export-onnx';
import type { ExportFormat } from './task-app';

export interface ExportOptions {
  readonly network: Module;
  /** What the SavedModel and the graph model compute from images, float32 [1, H, W, 3], normalised. */
  readonly outputs: (images: tf.Tensor4D) => Readonly<Record<string, tf.Tensor>>;
  /** What the ONNX model gives, which is made for those who know nothing of this project. */
  readonly onnx: OnnxTask;
  /** Of the images that the models take. */
  readonly input: { readonly height: number; readonly width: number };
  readonly formats: readonly ExportFormat[];
  readonly runtime: Runtime;
  readonly out: string;
}

/**
 * Writes a network for others: `weights.safetensors` with the official names and PyTorch's layouts and, with the
 * native engine, `saved_model` and, for browsers, `graph_model`: normalised `images`, float32 [1, H, W, 3], in, `outputs`
 * out; and `model.onnx`, see `exportOnnx`.
 */
export async function exportNetwork(options: ExportOptions): Promise<void> {
  const { network, formats, runtime, out } = options;
  makeFolder(out);
  if (formats.includes('safetensors')) {
    const weights = join(out, 'weights.safetensors');
    writeSafetensors(weights, await exportWeights(network), { format: 'pt' });
    console.log(`weights for PyTorch: ${weights}`);
  }
  const models = MODELS.filter(({ format }) => formats.includes(format));
  for (const { name, file, write } of models) {
    if (!runtime.engine.startsWith('tensorflow')) {
      console.log(`no ${name}: the engine ${runtime.engine} writes none, tensorflow does`);
      continue;
    }
    write(options, join(out, file));
    console.log(`${name}: ${join(out, file)}`);
  }
}

interface Model {
  readonly format: ExportFormat;
  readonly name: string;
  readonly file: string;
  readonly write: (options: ExportOptions, path: string) => void;
}

const MODELS: readonly Model[] = [
  { format: 'saved-model', name: 'SavedModel', file: 'saved_model', write: withImages(exportSavedModel) },
  {
    format: 'graph-model',
    name: 'TensorFlow.js graph model',
    file: 'graph_model',
    write: withImages(exportGraphModel),
  },
  {
    format: 'onnx',
    name: 'ONNX model',
    file: 'model.onnx',
    write: ({ onnx, input }, path) => exportOnnx(onnx, input, path),
  },
];

type NetworkInputs = { images: tf.Tensor4D };
type WriteModel = (
  model: (inputs: NetworkInputs) => Readonly<Record<string, tf.Tensor>>,
  inputs: NetworkInputs,
  path: string,
) => void;

function withImages(write: WriteModel): Model['write'] {
  return ({ outputs, input: { height, width } }, path) => {
    const images = tf.zeros<tf.Rank.R4>([1, height, width, 3]);
    write((inputs) => outputs(inputs.images), { images }, path);
    images.dispose();
  };
}
