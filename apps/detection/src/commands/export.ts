/** `pyramidal-detect export`. */
import { inferencePass } from '@pyramidal/nn';
import { type ExportCommand, exportNetwork, withTrainedNetwork } from '@pyramidal/task';
import * as tf from '@tensorflow/tfjs-core';
import { inputSize } from '../assemble';
import type { DetectionDefinition } from '../definition';

/**
 * Writes a trained detector for PyTorch and as a SavedModel, which gives `boxes` in pixels of its input, `scores`, `labels`,
 * and `masks`, each over its box; a score of 0 means that a row holds nothing.
 */
export function exportModel(definition: DetectionDefinition, command: ExportCommand): Promise<number> {
  return withTrainedNetwork(definition, command, async ({ config, network, runtime }) => {
    await exportNetwork({
      ...{ network, runtime, out: command.out },
      outputs: (images) => {
        const [, height, width] = images.shape;
        const sizes = tf.tensor2d([[height, width]]);
        const [found] = network.predict({ images, sizes }, tf.ones([1, 2]), inferencePass());
        const { boxes, scores, labels, masks } = found!;
        return { boxes, scores, labels, ...(masks && { masks }) };
      },
      input: command.input ?? inputSize(config, network),
      inBrowsers: false,
    });
    return 0;
  });
}
