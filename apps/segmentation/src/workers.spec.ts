/** Several processes train and evaluate a segmentor as one does, dropout and all. */
import { resolve } from 'node:path';
import { describeWorkers } from '@pyramidal/task-testing';
import { makeToy } from './testing/toy';

describeWorkers({
  main: resolve(__dirname, 'main.ts'),
  makeToy,
  workers: 2,
  // Batches in turn in place of a joined one: whole batches draw the dropout of one process.
  settings: ['train.batchSize=2', 'train.accumulation=2'],
  files: ['metrics.json', 'labels/0.png', 'report.html'],
});
