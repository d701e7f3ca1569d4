/** Semantic FPN (Kirillov et al. 2019): a feature pyramid under the head that sums its levels. */
import { Fpn } from '@pyramidal/fpn';
import { LEVELS } from '@pyramidal/nn';
import { z } from 'zod';
import { Segmentor } from './segmentor';
import type { SegmentorDefinition } from './segmentor-definition';
import { SemanticFpnHead } from './semantic-fpn-head';

const schema = z.strictObject({
  neckChannels: z.int().min(1).default(256).describe('Width of the feature pyramid.'),
  channels: z.int().min(1).default(128).describe('Width of the head.'),
});

export const semanticFpn: SegmentorDefinition<typeof schema> = {
  schema,
  create({ neckChannels, channels }, { backbone, classes }) {
    const levels = LEVELS.map((level) => backbone.levels[level]);
    const neck = new Fpn({ levels, channels: neckChannels, outputs: levels.length });
    const decodeHead = new SemanticFpnHead({ inChannels: neckChannels, levels: levels.length, channels, classes });
    return new Segmentor({ backbone, neck, decodeHead });
  },
};
