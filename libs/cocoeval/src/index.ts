export { COCO } from './coco';
export { COCOeval, type ImageEvaluation } from './cocoeval';
export { CocoFormatError } from './errors';
export * as mask from './mask';
export { Params } from './params';
export type * from './types';
