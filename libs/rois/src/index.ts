/** Features of regions: RoIAlign, and the level of a pyramid that each region is read from. */
export { recordsAdaptiveRois, roiAlign, type RoiAlignOptions, type RoiMaps, type Rois } from './roi-align';
export { joinRois, RoiFeatures, rowOf, splitRows, type RoiImages } from './roi-features';
