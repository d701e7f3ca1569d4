// The heads that a configuration can name: UPerNet, and Semantic FPN.
export { semanticFpn } from './semantic-fpn';
export { upernet } from './upernet';
export type { SegmentorDefinition, SegmentorParts } from './segmentor-definition';

// What they are made of.
export { DecodeHead, type Maps } from './decode-head';
export { FcnHead, type FcnHeadOptions } from './fcn-head';
export { segmentationLoss, type SegmentationLoss } from './loss';
export { Segmentor, type SegmentorModules } from './segmentor';
export { SemanticFpnHead, type SemanticFpnHeadOptions } from './semantic-fpn-head';
export { UperHead, type UperHeadOptions } from './uper-head';

// Inference on images of any size.
export { disposeViews, predictMap, probabilityStrips } from './predict-map';
export { inferView, viewLogits, type InferenceMode, type Network, type View } from './view';
