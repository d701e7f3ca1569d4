/** The segmentation program. */
import type { TaskApp } from '@pyramidal/task';
import { segmentationDefinition, type OwnSegmentationParts } from './definition';
import { RECIPES } from './recipes';

/**
 * The program, with what a project adds of its own: the same commands, configurations and checkpoints. A copy with another
 * command in place of one of these is a program too.
 * @throws Error if a backbone has the name of another.
 */
export function defineSegmentation(own: OwnSegmentationParts = {}): TaskApp {
  const definition = segmentationDefinition(own);
  return {
    name: 'pyramidal-segment',
    description: 'Trains and evaluates semantic segmentors on four-stage pyramid backbones.',
    drawsAugmented: true,
    recipes: RECIPES,
    train: async (command) => (await import('./commands/train.js')).train(definition, command),
    evaluate: async (command) => (await import('./commands/evaluate.js')).evaluate(definition, command),
    predict: async (command) => (await import('./commands/predict.js')).predict(definition, command),
    exportModel: async (command) => (await import('./commands/export.js')).exportModel(definition, command),
    info: async (command) => (await import('./commands/info.js')).info(definition, command),
    data: async (command) => (await import('./commands/data.js')).data(definition, command),
    serve: async (command) => (await import('./commands/serve.js')).serve(definition, command),
    inspect: async (command) => (await import('./commands/inspect.js')).inspect(definition, command),
  };
}

/** The program as it is. */
export const segmentation: TaskApp = defineSegmentation();
