/** The demo of segmentation: `npm run demo -- segmentation`. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeSegmentationSet } from '@pyramidal/samples';
import type { Demo } from './run-demo';

const DATA = 'data/samples/segmentation';
const PICTURES = 8;

export const segmentation: Demo = {
  script: 'segment',
  app: 'segmentation',
  config: 'configs/segmentation/sample.yaml',
  data: DATA,
  out: 'runs/segment-demo',
  wasmEpochs: 2,
  render: (data) => makeSegmentationSet(data, { seed: 0, train: 600, val: 100, size: 96 }),
  /** The first validation images. */
  pictures: () => {
    const split = join(DATA, 'images/validation');
    return readdirSync(split)
      .sort()
      .slice(0, PICTURES)
      .map((name) => join(split, name));
  },
};
