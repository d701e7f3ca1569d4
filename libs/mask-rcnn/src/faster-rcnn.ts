/**
 * Faster R-CNN (Ren et al. 2015) on a feature pyramid (Lin et al. 2017): proposals, then one stage of heads that give
 * each a class and a box.
 */
import type { DetectorDefinition } from '@pyramidal/detector';
import type { TwoStageSettings } from './two-stage-detector';
import { createTwoStage, twoStageSchema } from './two-stage-settings';

/** MMDetection's published settings. */
export const FASTER_RCNN = {
  anchors: { scales: [8], ratios: [0.5, 1, 2] },
  rpn: {
    match: { positiveIou: 0.7, negativeIou: 0.3, lowQuality: { minIou: 0.3 } },
    sample: { count: 256, positiveShare: 0.5 },
    allowedBorder: -1,
    beta: 0,
  },
  trainProposals: { perLevel: 2000, count: 1000, iouThreshold: 0.7 },
  testProposals: { perLevel: 1000, count: 1000, iouThreshold: 0.7 },
  stages: [
    {
      rois: {
        match: { positiveIou: 0.5, negativeIou: 0.5 },
        sample: { count: 512, positiveShare: 0.25 },
      },
      box: {
        bins: 7,
        hidden: 1024,
        deltas: { stds: [0.1, 0.1, 0.2, 0.2] },
        boxLoss: { kind: 'smooth-l1', beta: 0 },
      },
      weight: 1,
    },
  ],
  sampling: 2,
  detections: { scoreThreshold: 0.05, iouThreshold: 0.5, count: 100 },
} as const satisfies TwoStageSettings;

const schema = twoStageSchema(FASTER_RCNN);

export const fasterRcnn: DetectorDefinition<typeof schema> = {
  predictsMasks: false,
  schema,
  create: (settings, parts) => createTwoStage(FASTER_RCNN, settings, parts),
};
