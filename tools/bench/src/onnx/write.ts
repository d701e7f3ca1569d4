/** Writes a network's ONNX model, an image, and what the network finds in it here: `write.ts FAMILY TASK FOLDER`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { IMAGENET_NORMALISATION, normaliseTensor } from '@pyramidal/images';
import { openRuntime } from '@pyramidal/runtime';
import { exportOnnx } from '@pyramidal/task';
import { fillWithGolden } from '@pyramidal/testing';
import * as tf from '@tensorflow/tfjs-core';
import { type Family, TASKS } from './networks';

/** A tensor as JSON has it. */
interface Written {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

async function main([family, task, folder]: string[]): Promise<void> {
  await openRuntime({ engine: 'tensorflow' });
  const { create, size } = TASKS.find(({ name }) => name === task)!;
  const { module, outputs, rows } = create(family as Family);
  fillWithGolden(module, 'damped');
  const file = (name: string): string => join(folder as string, name);
  exportOnnx(
    { task: task as string, outputs, classes: [], normalisation: IMAGENET_NORMALISATION, ...(rows && { rows }) },
    size,
    file('model.onnx'),
  );
  const image = photograph(size);
  const here = outputs(normaliseTensor(tf.transpose(image, [0, 2, 3, 1]), IMAGENET_NORMALISATION));
  const count = rows === undefined ? undefined : tf.sum(tf.cast(here[rows]!, 'int32')).dataSync()[0]!;
  const found = Object.entries(here)
    .filter(([name]) => name !== rows)
    .map(([name, whole]) => [name, written(count === undefined ? whole : tf.slice(whole, 0, count))]);
  writeFileSync(file('case.json'), JSON.stringify({ image: written(image), found: Object.fromEntries(found) }));
}

const written = (tensor: tf.Tensor): Written => ({ shape: tensor.shape, values: [...tensor.dataSync()] });

/** Waves of several lengths, float32 [1, 3, H, W], 0 to 255. */
function photograph({ height, width }: { readonly height: number; readonly width: number }): tf.Tensor4D {
  const values = Float32Array.from({ length: 3 * height * width }, (_, i) => {
    const [x, y, colour] = [i % width, Math.floor(i / width) % height, Math.floor(i / (width * height))];
    return Math.round(
      127 + 70 * Math.sin(0.07 * x * (colour + 1) + 0.02 * y) + 50 * Math.cos(0.11 * y + 0.0005 * x * y),
    );
  });
  return tf.tensor4d(values, [1, 3, height, width]);
}

void main(process.argv.slice(2));
