/** Networks that give in ONNX Runtime what they give here. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { expectClose, type Tolerance } from './closeness';
import { wavesTensor } from './on-engines';
import { type OnnxResult, runOnnx } from './onnx-session';

interface OnnxCase {
  /** From normalised images [1, H, W, 3]. */
  readonly outputs: (images: tf.Tensor4D) => Readonly<Record<string, tf.Tensor>>;
  /** The output that tells how many rows the others have in the model. */
  readonly rows?: string;
  readonly normalisation: { readonly mean: readonly number[]; readonly std: readonly number[] };
}

/**
 * Runs a model of `image`, [1, 3, H, W], in ONNX Runtime and here.
 * @param write writes the model for images of that size.
 * @returns what the model gives.
 */
export async function expectSameInOnnx(
  { outputs, rows, normalisation: { mean, std } }: OnnxCase,
  write: (size: { readonly height: number; readonly width: number }, file: string) => void,
  [height, width]: readonly [number, number],
  tolerance: Tolerance = { rtol: 1e-4, atol: 1e-5 },
): Promise<Readonly<Record<string, OnnxResult>>> {
  const folder = mkdtempSync(join(tmpdir(), 'onnx-'));
  const image = tf.tidy(() => tf.mul(tf.add(wavesTensor<tf.Rank.R4>([1, 3, height, width]), 1), 127.5));
  try {
    const file = join(folder, 'model.onnx');
    write({ height, width }, file);
    const found = await runOnnx(file, { image });
    const expected = tf.tidy(() => {
      const pixels = tf.transpose(image, [0, 2, 3, 1]);
      const here = outputs(tf.div(tf.sub(pixels, tf.tensor1d([...mean])), tf.tensor1d([...std])));
      const count = rows === undefined ? undefined : tf.sum(tf.cast(here[rows]!, 'int32')).dataSync()[0];
      return Object.entries(here)
        .filter(([name]) => name !== rows)
        .map(([name, whole]) => {
          const values = count === undefined ? whole : tf.slice(whole, 0, count);
          return { name, shape: values.shape, values: values.dataSync() };
        });
    });
    expect(Object.keys(found)).toEqual(expected.map(({ name }) => name));
    for (const { name, shape, values } of expected) {
      expect({ name, shape: found[name]!.shape }).toEqual({ name, shape });
      expectClose(found[name]!.values, values, tolerance, name);
    }
    return found;
  } finally {
    image.dispose();
    rmSync(folder, { recursive: true });
  }
}
