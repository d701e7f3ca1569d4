/** ATSS: anchors chosen by the statistics of their overlaps, focal loss, GIoU, centerness. */
export { atss, ATSS, Atss, type AtssDetectorOptions } from './atss';
export { assignAdaptively, type AtssOptions, type LevelAnchors } from './atss-assigner';
export { AtssHead, type AtssDetectionOptions, type AtssHeadOptions } from './atss-head';
