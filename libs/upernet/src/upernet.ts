/** UPerNet (Xiao et al. 2018): its decode head on a backbone's four maps, and an FCN head on C4 that helps to train. */
import { LEVELS } from '@pyramidal/nn';
import { z } from 'zod';
import { FcnHead } from './fcn-head';
import { Segmentor } from './segmentor';
import type { SegmentorDefinition } from './segmentor-definition';
import { UperHead } from './uper-head';

const schema = z.strictObject({
  channels: z.int().min(1).default(512).describe('Width of the decode head.'),
  auxiliaryChannels: z
    .int()
    .min(0)
    .default(256)
    .describe('Width of the FCN head on C4 that helps to train; 0 leaves it out.'),
});

/** The map that the auxiliary head reads. */
const AUXILIARY = 'C4';

export const upernet: SegmentorDefinition<typeof schema> = {
  schema,
  create({ channels, auxiliaryChannels }, { backbone, classes }) {
    const { levels } = backbone;
    const inChannels = LEVELS.map((level) => levels[level].channels);
    const decodeHead = new UperHead({ inChannels, channels, classes });
    if (auxiliaryChannels === 0) return new Segmentor({ backbone, decodeHead });
    const auxiliaryHead = new FcnHead({
      index: LEVELS.indexOf(AUXILIARY),
      inChannels: levels[AUXILIARY].channels,
      channels: auxiliaryChannels,
      convs: 1,
      classes,
    });
    return new Segmentor({ backbone, decodeHead, auxiliaryHead });
  },
};
