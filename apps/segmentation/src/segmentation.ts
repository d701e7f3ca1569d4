import type { TaskApp } from '@pyramidal/task';
import { evaluate } from './commands/evaluate';
import { exportModel } from './commands/export';
import { info } from './commands/info';
import { predict } from './commands/predict';
import { train } from './commands/train';

/** The program. A copy with another command in place of one of these is a program too. */
export const segmentation: TaskApp = {
  name: 'pyramidal-segment',
  description: 'Trains and evaluates semantic segmentors on four-stage pyramid backbones.',
  train,
  evaluate,
  predict,
  exportModel,
  info,
};
