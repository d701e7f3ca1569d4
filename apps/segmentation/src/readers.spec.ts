import type * as Config from '@pyramidal/config';
import { describeReaders } from '@pyramidal/task-testing';
import type { ReadRecorder } from '@pyramidal/testing';
import { segmentationSchema } from './config';
import { makeToy, segment } from './testing/toy';

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
  schema: segmentationSchema,
  run: segment,
  makeToy,
  image: 'images/training/0.png',
  reads: jest.requireMock<{ reads: ReadRecorder }>('@pyramidal/config').reads,
  without: ['train.recompute', 'train.syncBatchNorm', 'data.orientation', 'data.maxPixels'],
  depends: ['data.train', 'train.batchSize', 'inference', 'testTime'],
});
