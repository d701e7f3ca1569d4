/** Several processes train and evaluate a detector as one does. */
import { resolve } from 'node:path';
import { describeWorkers } from '@pyramidal/task-testing';
import { makeToy } from './testing/toy';

describeWorkers({
  main: resolve(__dirname, 'main.ts'),
  makeToy,
  workers: 2,
  settings: [
    // Batch norms take all images, and everything is learned from: what is drawn of it would differ.
    ...['train.syncBatchNorm=true', 'model.detector.anchorSample={ count: 2000 }'],
    'model.detector.roiSample={ count: 200, positiveShare: 1 }',
  ],
  files: ['metrics.json', 'bbox.json', 'segm.json', 'report.html'],
});
