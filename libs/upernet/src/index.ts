export { DecodeHead, type Maps } from './decode-head';
export { FcnHead, type FcnHeadOptions } from './fcn-head';
export { IGNORE, segmentationLoss, type SegmentationLoss } from './loss';
export { disposeViews, predictMap, probabilityStrips } from './predict-map';
export { SemanticFpnHead, type SemanticFpnHeadOptions } from './semantic-fpn-head';
export { Segmentor, type Neck, type SegmentorParts } from './segmentor';
export { UperHead, type UperHeadOptions } from './uper-head';
export { look, viewLogits, type InferenceMode, type Network, type View } from './view';
export { slideWindows, type Size, type Window } from './windows';
