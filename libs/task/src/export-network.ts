/** `export`, whatever the task: a trained network for PyTorch, for TensorFlow, for browsers and for ONNX Runtime. */
import { join } from 'node:path';
import { exportWeights, writeSafetensors } from '@pyramidal/checkpoints';
import { makeFolder } from '@pyramidal/files';
import type { Module } from '@pyramidal/nn';
import { exportGraphModel, exportSavedModel } from '@pyramidal/graph';
import type { Size } from '@pyramidal/images';
import { type Runtime } from '@pyramidal/runtime';
import { cardTexts, type ModelCard, type ModelDescription } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { exportOnnx, type OnnxTask } from './export-onnx';
import type { ExportFormat } from './task-app';

type Outputs = Readonly<Record<string, tf.Tensor>>;

/** What a task's SavedModel gives, which does all that `predict` does with an image. */
export interface ServingTask {
  /** From pixels, float32 [1, H, W, 3], RGB from 0 to 255, to outputs that begin with an axis of one image. */
  readonly outputs: (pixels: tf.Tensor4D) => Outputs;
  /** Of the images that it takes unless the user asks for another one. */
  readonly size: Size;
}

export interface ExportOptions {
  readonly network: Module;
  /** What the file of the weights tells. */
  readonly card: Omit<ModelCard, 'versions'>;
  /** What the graph model computes from images, float32 [1, H, W, 3], normalised. */
  readonly outputs: (images: tf.Tensor4D) => Outputs;
  /** Of the images that the graph model and the ONNX model take unless the user asks for another one. */
  readonly size: Size;
  readonly serving: ServingTask;
  /** What the ONNX model gives, which is made for those who know nothing of this project. */
  readonly onnx: OnnxTask;
  /** What the user asks for. */
  readonly input: Size | undefined;
  readonly formats: readonly ExportFormat[];
  readonly runtime: Runtime;
  readonly out: string;
}

/**
 * Writes a network for others: `weights.safetensors` with the official names and PyTorch's layouts and, with the native
 * engine, `saved_model`: `images`, uint8 [1, H, W, 3], in; `graph_model` for browsers: `images`, float32 [1, H, W, 3],
 * normalised, in; and `model.onnx`, see `exportOnnx`.
 */
export async function exportNetwork(options: ExportOptions): Promise<void> {
  const { network, card, formats, runtime, out } = options;
  makeFolder(out);
  if (formats.includes('safetensors')) {
    const weights = join(out, 'weights.safetensors');
    writeSafetensors(weights, await exportWeights(network), { format: 'pt', ...cardTexts(card) });
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
  {
    format: 'saved-model',
    name: 'SavedModel',
    file: 'saved_model',
    write: ({ serving, input = serving.size }, path) =>
      withImages(input, (images) => {
        exportSavedModel((given) => serving.outputs(given.images), { images }, path, { bytes: ['images'] });
      }),
  },
  {
    format: 'graph-model',
    name: 'TensorFlow.js graph model',
    file: 'graph_model',
    write: ({ outputs, card, size, input = size }, path) =>
      withImages(input, (images) => {
        exportGraphModel((given) => outputs(given.images), { images }, path, { metadata: descriptionOf(card) });
      }),
  },
  {
    format: 'onnx',
    name: 'ONNX model',
    file: 'model.onnx',
    write: ({ onnx, size, input = size }, path) => exportOnnx(onnx, input, path),
  },
];

/** What the graph model tells of itself. */
const descriptionOf = ({ task, classes, input, normalisation }: ModelDescription): ModelDescription => ({
  task,
  classes,
  input,
  normalisation,
});

/** Tensors to record with. */
function withImages({ height, width }: Size, write: (images: tf.Tensor4D) => void): void {
  const images = tf.zeros<tf.Rank.R4>([1, height, width, 3]);
  try {
    write(images);
  } finally {
    images.dispose();
  }
}
