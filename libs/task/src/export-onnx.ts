/** `export`'s ONNX model: the pixels of an image in, what the task finds in it out. */
import { exportOnnxModel } from '@pyramidal/graph';
import { type Normalisation, normaliseTensor } from '@pyramidal/images';
import * as tf from '@tensorflow/tfjs-core';

/** What a task's ONNX model gives, and what its file tells. */
export interface OnnxTask {
  /** Name of the task. */
  readonly task: string;
  /** From images, float32 [1, H, W, 3], normalised, to the model's outputs. */
  readonly outputs: (images: tf.Tensor4D) => Readonly<Record<string, tf.Tensor>>;
  /** An output, bool [D], that tells which rows of the others hold something; see `OnnxOptions`. */
  readonly rows?: string;
  /** The classes, in the order of their labels. */
  readonly classes: readonly { readonly name: string }[];
  readonly normalisation: Normalisation;
}

/**
 * Writes the model: `image`, float32 [1, 3, H, W], RGB from 0 to 255, in; normalisation is its own. The file's metadata
 * names the task, the classes as a JSON list, and the colour that pads smaller images.
 */
export function exportOnnx(
  { task, outputs, rows, classes, normalisation }: OnnxTask,
  { height, width }: { readonly height: number; readonly width: number },
  file: string,
): void {
  const model = (inputs: { image: tf.Tensor4D }): Readonly<Record<string, tf.Tensor>> => {
    return outputs(normaliseTensor(tf.transpose(inputs.image, [0, 2, 3, 1]), normalisation));
  };
  const metadata = {
    task,
    classes: JSON.stringify(classes.map(({ name }) => name)),
    input: 'RGB from 0 to 255, channels first',
    padding: JSON.stringify(normalisation.mean),
  };
  const image = tf.zeros<tf.Rank.R4>([1, 3, height, width]);
  exportOnnxModel(model, { image }, file, { metadata, ...(rows !== undefined && { rows }) });
  image.dispose();
}
