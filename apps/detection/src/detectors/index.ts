/** Every detector there is, by the name that a configuration gives. */
import type { Detector } from '@pyramidal/boxes';
import { z } from '@pyramidal/config';
import type { Backbone } from '@pyramidal/nn';
import { cascadeMaskRcnnSchema, createCascadeMaskRcnn } from './cascade-mask-rcnn';
import { createMaskRcnn, maskRcnnSchema } from './mask-rcnn';
import { createRetinaNet, retinaNetSchema } from './retinanet';

export const detectorSchema = z.discriminatedUnion('name', [maskRcnnSchema, cascadeMaskRcnnSchema, retinaNetSchema]);

export type DetectorConfig = z.output<typeof detectorSchema>;

/** What a detector is built on. */
export interface DetectorParts {
  readonly backbone: Backbone;
  /** Width of the feature pyramid. */
  readonly neckChannels: number;
  /** Of the data. */
  readonly classes: number;
}

export function createDetector(config: DetectorConfig, parts: DetectorParts): Detector {
  switch (config.name) {
    case 'mask-rcnn':
      return createMaskRcnn(config, parts);
    case 'cascade-mask-rcnn':
      return createCascadeMaskRcnn(config, parts);
    case 'retinanet':
      return createRetinaNet(config, parts);
  }
}
