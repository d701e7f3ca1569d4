/** Sparse R-CNN: learned proposals, dynamic heads, matching one to one, no suppression. */
export { sparseRcnn, SPARSE_RCNN, SparseRcnn, type SparseRcnnOptions } from './sparse-rcnn';
