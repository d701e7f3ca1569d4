import { type ExportCommand, exportNetwork } from '@pyramidal/task';
import { loadConfig } from '@pyramidal/config';
import { inferencePass } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { loadWeightsFile } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { inputSize } from '../assemble';
import type { DetectionDefinition } from '../definition';
import { readClasses } from '../data';

/**
 * Writes a trained detector for PyTorch and as a SavedModel, which gives `boxes` in pixels of its input, `scores`, `labels`,
 * and `masks`, each over its box; a score of 0 means that a row holds nothing.
 */
export async function exportModel(
  { schema, assemble }: DetectionDefinition,
  { config: file, set, weights, input, out }: ExportCommand,
): Promise<number> {
  const { config } = loadConfig(schema, file, { set });
  const classes = await readClasses(config);
  const runtime = await openRuntime(config.runtime);
  const network = assemble(config, classes.length);
  loadWeightsFile(weights, network, { ema: config.evaluation.ema });
  await exportNetwork({
    network,
    outputs: (images) => {
      const [, height, width] = images.shape;
      const sizes = tf.tensor2d([[height, width]]);
      const [found] = network.predict({ images, sizes }, tf.ones([1, 2]), inferencePass());
      const { boxes, scores, labels, masks } = found!;
      return { boxes, scores, labels, ...(masks && { masks }) };
    },
    input: input ?? inputSize(config, network),
    inBrowsers: false,
    ...{ runtime, out },
  });
  network.dispose();
  return 0;
}
