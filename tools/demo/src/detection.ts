/** The demo of detection: `npm run demo -- detection`. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeDetectionSet } from '@pyramidal/samples';
import type { Demo } from './run-demo';

const DATA = 'data/samples/detection';
const PICTURES = 12;

export const detection: Demo = {
  script: 'detect',
  app: 'detection',
  config: 'configs/detection/sample.yaml',
  data: DATA,
  out: 'runs/demo',
  wasmEpochs: 1,
  render: (data) => makeDetectionSet(data, { seed: 0, train: 600, val: 100, size: 128 }),
  /** The first validation images. */
  pictures: () => {
    const split = join(DATA, 'val');
    return readdirSync(split)
      .sort()
      .slice(0, PICTURES)
      .map((name) => join(split, name));
  },
  truth: join(DATA, 'annotations/instances_val.json'),
};
