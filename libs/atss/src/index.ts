/** ATSS: anchors chosen by the statistics of their overlaps, focal loss, GIoU, centerness. */
export { atss, ATSS, Atss, type AtssDetectorOptions } from './atss';
