/** What a configuration may change of the published settings, and the detectors that come of it. */
import { type DetectorDefinition, fields } from '@pyramidal/detector';
import { z } from 'zod';
import { DEFORMABLE_DETR, DeformableDetr, INPUT_PROJ } from './deformable-detr';
import { Dino, DINO } from './dino';
import { DINO_LAYOUTS } from './dino-layouts';
import { LevelProjection } from './level-projection';

const { count, fraction } = fields;

interface Published {
  readonly queries: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly heads: number;
  readonly points: number;
  readonly feedForward: number;
  readonly dropout: number;
  readonly detections: { readonly count: number };
}

/** Fields that both detectors have; their width is the neck's. */
const transformerFields = (published: Published) => ({
  queries: count.default(published.queries).describe('Boxes that are predicted, objects or not.'),
  encoderLayers: count.default(published.encoderLayers).describe('Layers in which cells look at each other.'),
  decoderLayers: count.default(published.decoderLayers).describe('Layers in which queries look at cells.'),
  heads: count.default(published.heads).describe('Heads of attention; they divide the width of the neck.'),
  points: count.default(published.points).describe('Points at which a head looks on each level.'),
  feedForward: count.default(published.feedForward).describe("Width of the layers' feed-forward parts."),
  dropout: fraction.default(published.dropout).describe('Share of activations that training drops.'),
  categoryRows: z
    .array(z.int().min(0))
    .optional()
    .describe("Rows of the class heads, one a class, where the heads have more: COCO's ids in published weights."),
  detections: fields.bestDetections(published.detections),
});

const deformableDetrSchema = z.strictObject({
  variant: z
    .enum(['plain', 'box-refinement', 'two-stage'])
    .default(DEFORMABLE_DETR.variant)
    .describe('Learned queries, those whose references move from layer to layer, or queries from a first stage.'),
  ...transformerFields(DEFORMABLE_DETR),
});

/** Deformable DETR by the name that a configuration gives. */
export const deformableDetr: DetectorDefinition<typeof deformableDetrSchema> = {
  predictsMasks: false,
  schema: deformableDetrSchema,
  create: (settings, { backbone, neckChannels, classes }) =>
    new DeformableDetr(backbone, new LevelProjection(backbone, neckChannels, INPUT_PROJ), {
      ...DEFORMABLE_DETR,
      ...settings,
      classes,
    }),
};

const dinoSchema = z.strictObject({
  layout: z
    .enum(['detrex', 'authors'])
    .default(DINO.layout)
    .describe("Whose published weights fit: detrex's, or the authors' with heads that layers share."),
  ...transformerFields(DINO),
  denoising: z
    .strictObject({
      count: count
        .default(DINO.denoising.count)
        .describe('Objects that are denoised, all groups together; more where an image has more.'),
      labelNoise: fraction.default(DINO.denoising.labelNoise).describe('Twice the share of labels that are replaced.'),
      boxNoise: z
        .number()
        .positive()
        .default(DINO.denoising.boxNoise)
        .describe("How far edges move, over half of the box's side."),
    })
    .prefault({})
    .describe('Objects with noise as further queries in training.'),
});

/** DINO by the name that a configuration gives. */
export const dino: DetectorDefinition<typeof dinoSchema> = {
  predictsMasks: false,
  schema: dinoSchema,
  create(settings, { backbone, neckChannels, classes }) {
    const { projection } = DINO_LAYOUTS[settings.layout];
    const neck = new LevelProjection(backbone, neckChannels, projection);
    return new Dino(backbone, neck, { ...DINO, ...settings, classes });
  },
};
