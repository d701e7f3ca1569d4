/** The demo of classification: `npm run demo -- classification`. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeClassificationSet } from '@pyramidal/samples';
import type { Demo } from './run-demo';

const DATA = 'data/samples/classification';

export const classification: Demo = {
  script: 'classify',
  app: 'classification',
  config: 'configs/classification/sample.yaml',
  data: DATA,
  out: 'runs/classify-demo',
  wasmEpochs: 4,
  render: (data) => makeClassificationSet(data, { seed: 0, train: 900, val: 200, size: 96 }),
  /** The first validation image of each class. */
  pictures: () => {
    const split = join(DATA, 'val');
    const classes = readdirSync(split).sort();
    return classes.map((name) => join(split, name, readdirSync(join(split, name)).sort()[0]!));
  },
};
