/** `pyramidal-detect info`. */
import { describedConfig } from '@pyramidal/inference';
import { inferencePass } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { describeNetwork, type InfoCommand } from '@pyramidal/task';
import * as tf from '@tensorflow/tfjs-core';
import { inputSize } from '../assemble';
import type { DetectionDefinition } from '../definition';

/** Prints parameters, multiply-adds, feature shapes and memory of a configuration's network. */
export async function info(definition: DetectionDefinition, command: InfoCommand): Promise<number> {
  const { input, resolved } = command;
  const reading = resolved ? command : { ...command, reader: 'info' as const };
  const { config, text, classes: known } = describedConfig(definition, reading, console.error);
  if (resolved) {
    process.stdout.write(text);
    return 0;
  }
  const { classes } = await definition.open(config, known);
  await openRuntime(config.runtime);
  const network = definition.assemble(config, classes.length);
  network.initialize(0);
  const { height, width } = input ?? inputSize(config, network);
  const { backbone, detector } = config.model;
  const lines = describeNetwork({
    title: `${detector.name} on ${backbone.name}, ${classes.length} classes`,
    network,
    forward: (images) => {
      const sizes = tf.tensor2d([[height, width]]);
      return network.predict({ images, sizes }, tf.ones([1, 2]), inferencePass());
    },
    height,
    width,
  });
  console.log(lines.join('\n'));
  network.dispose();
  return 0;
}
