/** Looks at a data set and at what was predicted in it, in a browser. */
export { inspectDetections, type DetectionsToInspect } from './detection/inspect-detections';
export type { DetectionRun } from './detection/run-columns';
export { inspectSegmentation, type ClassMap, type SegmentationToInspect } from './segmentation/inspect-segmentation';
export type { SegmentationRun } from './segmentation/inspect-segmentation';
export type { Inspected } from './inspected';
export { inspectUntilStopped } from './inspect-until-stopped';
export { openInspector, type Inspector, type InspectorOptions } from './server/open-inspector';
