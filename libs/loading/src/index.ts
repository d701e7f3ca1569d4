/** What data sets share: batches read ahead and prepared in worker threads, parts of a split, folders that are there, sizes that fit their labels. */
export { Loader } from './loader';
export type { BatchPosition, BatchRange, BatchShare, LoadedBatch, LoaderOptions } from './loader';
export { openBatchSource, type BatchSource, type BatchSourceOptions } from './batch-source';
export { requirePlaces, type Place } from './require-places';
export {
  evenlySpaced,
  requireSize,
  surveyPictures,
  type LabelledSize,
  type PictureSurvey,
  type SurveyedPicture,
} from './size-check';
export { partOf, type SplitPart } from './split-part';
export { WorkerPool, type ThreadFunction } from './worker-pool';
