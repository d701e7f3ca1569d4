/** The classification program. */
import type { TaskApp } from '@pyramidal/task';
import { data } from './commands/data';
import { evaluate } from './commands/evaluate';
import { exportModel } from './commands/export';
import { info } from './commands/info';
import { predict } from './commands/predict';
import { serve } from './commands/serve';
import { train } from './commands/train';
import { classificationDefinition, type OwnClassificationParts } from './definition';
import { RECIPES } from './recipes';

/**
 * The program, with what a project adds of its own: the same commands, configurations and checkpoints. A copy with another
 * command in place of one of these is a program too.
 * @throws Error if a backbone has the name of another.
 */
export function defineClassification(own: OwnClassificationParts = {}): TaskApp {
  const definition = classificationDefinition(own);
  return {
    name: 'pyramidal-classify',
    description: 'Trains and evaluates image classifiers on four-stage pyramid backbones.',
    recipes: RECIPES,
    train: (command) => train(definition, command),
    evaluate: (command) => evaluate(definition, command),
    predict: (command) => predict(definition, command),
    exportModel: (command) => exportModel(definition, command),
    info: (command) => info(definition, command),
    data: (command) => data(definition, command),
    serve: (command) => serve(definition, command),
  };
}

/** The program as it is. */
export const classification: TaskApp = defineClassification();
