import { z } from '@pyramidal/config';
import { Fpn } from '@pyramidal/fpn';
import { LEVELS } from '@pyramidal/nn';
import { RETINANET_DEFAULTS, RetinaNet } from '@pyramidal/retinanet';
import type { DetectorParts } from './index';
import { anchorsSchema, count, detectionFields, ignoreShareSchema, ignoring } from './schemas';

const { anchors, convs, hidden, match, detections } = RETINANET_DEFAULTS;

export const retinaNetSchema = z.strictObject({
  name: z.literal('retinanet'),
  anchors: anchorsSchema(anchors),
  ignoreShare: ignoreShareSchema,
  /** Convolutions of each tower, and their width. */
  convs: z.int().min(0).default(convs),
  hidden: count.default(hidden),
  detections: z
    .strictObject({
      /** Candidates of each level that suppression looks at. */
      perLevel: count.default(detections.perLevel),
      ...detectionFields(detections),
    })
    .prefault({}),
});

export type RetinaNetConfig = z.output<typeof retinaNetSchema>;

/** Levels P3 to P7: those of C3 to C5 and two beyond, by convolutions on C5. */
const LEVELS_OUT = 5;

export function createRetinaNet(
  config: RetinaNetConfig,
  { backbone, neckChannels, classes }: DetectorParts,
): RetinaNet {
  const levels = LEVELS.map((level) => backbone.levels[level]);
  const neck = new Fpn({ levels, channels: neckChannels, outputs: LEVELS_OUT, startLevel: 1, extra: 'on-input' });
  const { ignoreShare: _ignoreShare, name: _name, ...changes } = config;
  const options = { ...RETINANET_DEFAULTS, ...changes, match: { ...match, ...ignoring(config) } };
  return new RetinaNet(backbone, neck, { ...options, classes });
}
