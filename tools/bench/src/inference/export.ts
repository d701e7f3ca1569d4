/** Writes a network for other runtimes, with images and what they give here: `export.ts NETWORK BATCH FOLDER`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportOnnxModel } from '@pyramidal/graph';
import * as tf from '@tensorflow/tfjs-core';
import { openNetwork } from './network';

async function main([name, batch, folder]: string[]): Promise<void> {
  const { forward, images } = await openNetwork(name as string, Number(batch));
  const firstChannels = tf.transpose(images, [0, 3, 1, 2]);
  const model = (inputs: { images: tf.Tensor4D }) => forward({ images: tf.transpose(inputs.images, [0, 2, 3, 1]) });
  exportOnnxModel(model, { images: firstChannels }, join(folder as string, 'model.onnx'));
  const { logits } = tf.tidy(() => forward({ images }));
  for (const [file, tensor] of Object.entries({ images: firstChannels, logits })) {
    writeFileSync(join(folder as string, `${file}.bin`), new Uint8Array(tensor.dataSync<'float32'>().buffer));
  }
}

void main(process.argv.slice(2));
