// The detectors that a configuration can name, and their published settings.
export { fasterRcnn, FASTER_RCNN } from './faster-rcnn';
export { maskRcnn, MASK_RCNN } from './mask-rcnn';
export {
  cascadeMaskRcnn,
  cascadeRcnn,
  cascadeStages,
  CASCADE_BOX_HEADS,
  CASCADE_MASK_RCNN,
  CASCADE_RCNN,
} from './cascade-rcnn';

// What they are made of.
export { TwoStageDetector, type TwoStageOptions } from './two-stage-detector';
export { recordsAdaptiveRois } from '@pyramidal/rois';
