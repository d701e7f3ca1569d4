/** The published settings of MMDetection's models; the number of classes is the data's. */
import type { CascadeMaskRcnnOptions } from './cascade-mask-rcnn';
import type { MaskRcnnOptions } from './mask-rcnn';
import type { RoiStageOptions } from './roi-head';

export const MASK_RCNN_DEFAULTS = {
  anchors: { scales: [8], ratios: [0.5, 1, 2] },
  rpn: {
    match: { positiveIou: 0.7, negativeIou: 0.3, lowQuality: { minIou: 0.3 } },
    sample: { count: 256, positiveShare: 0.5 },
    allowedBorder: -1,
    beta: 0,
  },
  trainProposals: { perLevel: 2000, count: 1000, iouThreshold: 0.7 },
  testProposals: { perLevel: 1000, count: 1000, iouThreshold: 0.7 },
  rois: {
    match: { positiveIou: 0.5, negativeIou: 0.5, lowQuality: { minIou: 0.5 } },
    sample: { count: 512, positiveShare: 0.25 },
  },
  box: {
    bins: 7,
    hidden: 1024,
    deltas: { stds: [0.1, 0.1, 0.2, 0.2] },
    boxLoss: { kind: 'smooth-l1', beta: 0 },
  },
  mask: { bins: 14, convs: 4, hidden: 256, targetSampling: 4 },
  sampling: 2,
  detections: { scoreThreshold: 0.05, iouThreshold: 0.5, count: 100 },
} as const satisfies Omit<MaskRcnnOptions, 'classes'>;

type CascadeBoxHead = Omit<RoiStageOptions['box'], 'deltas'>;

/** The box heads that cascades are published with. */
export const CASCADE_BOX_HEADS = {
  /** Two fully connected layers and one box for all classes: MMDetection's own. */
  shared2fc: { bins: 7, hidden: 1024, classAgnostic: true, boxLoss: { kind: 'smooth-l1', beta: 1 } },
  /** Four convolutions with batch norm, one fully connected layer, a box per class, GIoU: Swin's and CoaT's. */
  conv4fc1: { bins: 7, hidden: 1024, layers: { convs: 4, fcs: 1 }, boxLoss: { kind: 'giou', weight: 10 } },
} as const satisfies Record<string, CascadeBoxHead>;

/** The three stages of a cascade (Cascade R-CNN, section 4.3): each asks for more overlap and moves boxes less far. */
export function cascadeStages(
  box: CascadeBoxHead,
  sample: RoiStageOptions['rois']['sample'] = MASK_RCNN_DEFAULTS.rois.sample,
): RoiStageOptions[] {
  const stage = (iou: number, [centre, side]: [number, number], weight: number): RoiStageOptions => ({
    rois: { match: { positiveIou: iou, negativeIou: iou }, sample },
    box: { ...box, deltas: { stds: [centre, centre, side, side] } },
    weight,
  });
  return [stage(0.5, [0.1, 0.2], 1), stage(0.6, [0.05, 0.1], 0.5), stage(0.7, [0.033, 0.067], 0.25)];
}

const { rois: _rois, box: _box, ...shared } = MASK_RCNN_DEFAULTS;

export const CASCADE_MASK_RCNN_DEFAULTS = {
  ...shared,
  rpn: { ...shared.rpn, allowedBorder: 0, beta: 1 / 9 },
  trainProposals: { perLevel: 2000, count: 2000, iouThreshold: 0.7 },
} as const satisfies Omit<CascadeMaskRcnnOptions, 'classes' | 'stages'>;
