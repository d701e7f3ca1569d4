/**
 * The two published forms of DINO: that of detrex, with which the backbones here were trained, and that of its authors. They
 * differ in the names of weights, in what layers share, and in the wave lengths of positions.
 */
import type { ProjectionNames } from './level-projection';
import type { SineOptions } from './sine-position';
import type { Names } from './transformer-layer';

export interface DinoLayout {
  /** Field names that stand for others. */
  readonly detector: Names;
  readonly projection: ProjectionNames;
  readonly levelEmbedding: Names;
  readonly encoderLayer: Names;
  readonly decoderLayer: Names;
  /** Of the cells' positions. */
  readonly sine: SineOptions;
  /** Whether the layers of the decoder share their heads, and tokens have heads inside the transformer. */
  readonly sharesHeads: boolean;
  /** Labels that denoising knows besides the classes. */
  readonly spareLabels: number;
}

const FEED_FORWARD = { linear1: 'ffns.0.layers.0.0', linear2: 'ffns.0.layers.1' };

export const DINO_LAYOUTS = {
  detrex: {
    detector: {},
    projection: { lists: {}, parts: {}, hasExtraList: true },
    levelEmbedding: { levelEmbed: 'level_embeds' },
    encoderLayer: { selfAttn: 'attentions.0', norm1: 'norms.0', ...FEED_FORWARD, norm2: 'norms.1' },
    decoderLayer: {
      selfAttn: 'attentions.0.attn',
      norm2: 'norms.0',
      crossAttn: 'attentions.1',
      norm1: 'norms.1',
      ...FEED_FORWARD,
      norm3: 'norms.2',
    },
    sine: { temperature: 10000, offset: -0.5 },
    sharesHeads: false,
    spareLabels: 0,
  },
  authors: {
    detector: { neck: 'input_proj' },
    projection: { lists: { convs: '' }, parts: { conv: '0', norm: '1' }, hasExtraList: false },
    levelEmbedding: {},
    encoderLayer: {},
    decoderLayer: {},
    sine: { temperature: 20, offset: 0 },
    sharesHeads: true,
    spareLabels: 1,
  },
} as const satisfies Record<string, DinoLayout>;
