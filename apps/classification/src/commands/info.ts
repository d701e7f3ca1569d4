/** `pyramidal-classify info`. */
import { existsSync } from 'node:fs';
import { describedConfig } from '@pyramidal/inference';
import { inferencePass } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { describeNetwork, type InfoCommand } from '@pyramidal/task';
import type { ClassificationConfig } from '../config';
import { openClasses } from '../data-folder';
import type { ClassificationDefinition } from '../definition';

/** Classes to count with where the data set is not there: ImageNet's. */
const DEFAULT_CLASSES = 1000;

/** Prints parameters, multiply-adds, feature shapes and memory of a configuration's network. */
export async function info(definition: ClassificationDefinition, command: InfoCommand): Promise<number> {
  const { input, resolved } = command;
  const reading = resolved ? command : { ...command, reader: 'info' as const };
  const { config, text, classes: known } = describedConfig(definition, reading, console.error);
  if (resolved) {
    process.stdout.write(text);
    return 0;
  }
  const { height, width } = input ?? { height: config.input.size, width: config.input.size };
  const classes = known?.length ?? (await countClasses(config));
  await openRuntime(config.runtime);
  const classifier = definition.assemble(config, classes);
  classifier.initialize(0);

  const lines = describeNetwork({
    title: `${config.model.backbone.name}, ${classes} classes`,
    network: classifier,
    forward: (images) => classifier.forward(images, inferencePass()),
    height,
    width,
  });
  console.log(lines.join('\n'));
  classifier.dispose();
  return 0;
}

async function countClasses(config: ClassificationConfig): Promise<number> {
  return existsSync(config.data.root) ? (await openClasses(config)).classes.length : DEFAULT_CLASSES;
}
