export { levelAnchors, anchorsInside, type AnchorOptions } from './anchors';
export { decodeDeltas, encodeDeltas, type DeltaOptions } from './box-deltas';
export { boxesInRegions, matchBoxes, type Matches, type MatchOptions, type Truth } from './matcher';
export { classwiseNms, nms, type Kept, type NmsOptions } from './nms';
export { roiAlign, type RoiAlignOptions, type RoiMaps, type Rois } from './roi-align';
export { extractRois, roiLevels } from './roi-extractor';
export { randomKeys, sampleBoxes, type DrawKeys, type Sample, type SampleOptions } from './sampler';
