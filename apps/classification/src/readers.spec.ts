import type * as Config from '@pyramidal/config';
import { describeReaders } from '@pyramidal/task-testing';
import type { ReadRecorder } from '@pyramidal/testing';
import { classificationSchema } from './config';
import { makeToy, classify } from './testing/toy';

jest.mock('@pyramidal/config', (): typeof Config & { reads: ReadRecorder } => {
  const actual = jest.requireActual<typeof Config>('@pyramidal/config');
  const { ReadRecorder } = jest.requireActual<{ ReadRecorder: new () => ReadRecorder }>('@pyramidal/testing');
  const reads = new ReadRecorder();
  const loadConfig: typeof actual.loadConfig = (...given) => {
    const loaded = actual.loadConfig(...given);
    return { ...loaded, config: reads.watch(loaded.config) };
  };
  return { ...actual, loadConfig, reads };
});

describeReaders({
  schema: classificationSchema,
  run: classify,
  makeToy,
  image: 'train/red/0.png',
  reads: jest.requireMock<{ reads: ReadRecorder }>('@pyramidal/config').reads,
  without: ['train.seed'],
  depends: ['data.train', 'train.batchSize'],
});
