/** Several processes train and evaluate a classifier as one does. */
import { resolve } from 'node:path';
import { describeWorkers } from '@pyramidal/task-testing';
import { makeToy } from './testing/toy';

describeWorkers({
  main: resolve(__dirname, 'main.ts'),
  makeToy,
  workers: 3,
  settings: ['train.syncBatchNorm=true'],
  files: ['metrics.json', 'report.html'],
});
