/** Predictions at every cell of a pyramid: anchors, and the one-stage detectors that are made of them. */
export type { AnchorOptions } from './anchors';
export { PyramidAnchors } from './pyramid-anchors';
export { bestBoxes, joinLevels, mapSize } from './level-rows';
export {
  DenseHead,
  sumOver,
  type DenseDetectionOptions,
  type DenseHeadOptions,
  type DenseImage,
  type DenseMaps,
  type DenseRows,
  type DenseTargets,
  type ImageAnchors,
} from './dense-head';
export { DenseDetector, denseFields, denseNeck } from './dense-detector';
