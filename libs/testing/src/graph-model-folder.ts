/** Graph models of TensorFlow.js read from a folder. */
import * as tf from '@tensorflow/tfjs-core';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where `loadGraphModel` finds a graph model's `model.json` and its weights, as it would at an address. */
export function graphModelFolder(folder: string): tf.io.IOHandler {
  const model = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')) as tf.io.ModelJSON;
  return {
    load: () =>
      tf.io.getModelArtifactsForJSON(model, (manifest) => {
        const files = manifest.flatMap(({ paths }) => paths).map((path) => readFileSync(join(folder, path)));
        return Promise.resolve([tf.io.getWeightSpecs(manifest), new Uint8Array(Buffer.concat(files)).buffer]);
      }),
  };
}
