// What a detector is, takes and gives.
export {
  Detector,
  type DetectionLosses,
  type DetectorDefinition,
  type DetectorParts,
  type ImageBatch,
} from './detector';
export { masksOfImages, truthOfImages, type ImageTruth, type MaskTruth, type TruthBatch } from './truth';
export { chooseDetections, toOriginal, type DetectionOptions, type Detections } from './detections';
export {
  anchorsSchema,
  count,
  detectionFields,
  fraction,
  ignoreShareSchema,
  positive,
  withIgnoreShare,
} from './settings';

// Boxes and anchors.
export { areas, clipBoxes, coordinates, cornersOf, iouOf } from './boxes';
export { decodeDeltas, encodeDeltas, type DeltaOptions } from './box-deltas';
export { anchorsPerCell, levelAnchors, type AnchorOptions } from './anchors';
export { bestBoxes, joinLevels, mapSizes, pyramidAnchors, pyramidAnchorsInside } from './anchor-pyramid';

// Features of regions.
export { roiAlign, type RoiAlignOptions, type RoiMaps, type Rois } from './roi-align';
export { joinRois, RoiFeatures, type RoiImages, rowOf, splitRows } from './roi-features';
export { detached } from './detached';

// Choosing among them.
export {
  BACKGROUND,
  matchBoxes,
  outsideCrowds,
  truthRowsOf,
  UNMATCHED,
  type Matches,
  type MatchOptions,
  type Truth,
} from './matcher';
export { focalCosts, giouCosts, l1Costs, matchSets } from './set-matching';
export { randomKeys, sampleBoxes, type DrawKeys, type SampleOptions } from './sampler';
export { nms } from './nms';
export { takeRows } from './take-rows';
export { oneHot } from './one-hot';

// Losses.
export { binaryCrossEntropy, focalLoss, giouLoss, smoothL1, type FocalOptions, type GiouOptions } from './losses';
