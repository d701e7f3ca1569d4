import type { TaskApp } from '@pyramidal/task';
import { evaluate } from './commands/evaluate';
import { exportModel } from './commands/export';
import { info } from './commands/info';
import { predict } from './commands/predict';
import { train } from './commands/train';

/** The program. A copy with another command in place of one of these is a program too. */
export const classification: TaskApp = {
  name: 'pyramidal-classify',
  description: 'Trains and evaluates image classifiers on four-stage pyramid backbones.',
  train,
  evaluate,
  predict,
  exportModel,
  info,
};
