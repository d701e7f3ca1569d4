export { sparseRcnn, SPARSE_RCNN, SparseRcnn, type SparseRcnnOptions } from './sparse-rcnn';
export { DiiHead, type DiiHeadOptions } from './dii-head';
export { DynamicConv, type DynamicConvOptions } from './dynamic-conv';
