/** `pyramidal-segment info`. */
import { describedConfig } from '@pyramidal/inference';
import { inferencePass } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { describeNetwork, type InfoCommand } from '@pyramidal/task';
import type { SegmentationDefinition } from '../definition';

/** Prints parameters, multiply-adds, feature shapes and memory of a configuration's network. */
export async function info(definition: SegmentationDefinition, command: InfoCommand): Promise<number> {
  const { input, resolved } = command;
  const reading = resolved ? command : { ...command, reader: 'info' as const };
  const { config, text, classes: known } = describedConfig(definition, reading, console.error);
  if (resolved) {
    process.stdout.write(text);
    return 0;
  }
  const { height, width } = input ?? { height: config.input.crop, width: config.input.crop };
  const { classes } = await definition.open(config, known);
  await openRuntime(config.runtime);
  const segmentor = definition.assemble(config, classes.length);
  segmentor.initialize(0);
  const { backbone, head } = config.model;
  const lines = describeNetwork({
    title: `${head.name} on ${backbone.name}, ${classes.length} classes`,
    network: segmentor,
    forward: (images) => segmentor.forward(images, inferencePass()),
    height,
    width,
  });
  console.log(lines.join('\n'));
  segmentor.dispose();
  return 0;
}
