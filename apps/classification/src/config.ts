/** What a configuration of a classification run may hold. */
import { type BackboneCatalogue, VARIANTS } from '@pyramidal/backbones';
import {
  backboneSchema,
  classWeightsSchema,
  evaluationSchema,
  freezeSchema,
  namingClasses,
  only,
  readBy,
  runtimeSchema,
  trainSchema,
  validationSchema,
  z,
} from '@pyramidal/config';

const fraction = z.number().min(0).max(1);

const dataSchema = z.strictObject({
  root: z
    .string()
    .min(1)
    .describe('Folder in the ImageFolder layout: `train/<class>/*.jpg`, `val/<class>/*.jpg`.')
    .register(readBy, namingClasses('eval')),
  classIndex: z
    .string()
    .optional()
    .describe('Gives the labels; else `classes.json` or `classes.txt` in the root, else the sorted folder names.')
    .register(readBy, namingClasses('eval')),
  train: z
    .string()
    .default('train')
    .describe('Folder of the training images below the root.')
    .register(readBy, namingClasses('eval')),
  val: validationSchema(z.string())
    .default('val')
    .describe(
      'Folder of the validation images below the root, or a share of each class of the training images, drawn by their names, or `none`, which keeps the last checkpoint alone.',
    )
    .register(readBy, namingClasses('eval')),
  orientation: z
    .enum(['exif', 'stored'])
    .default('stored')
    .describe(
      "Pixels as EXIF's tag turns them for people, or as they are stored; default 'stored', as torchvision and timm read them.",
    )
    .register(readBy, only('eval', 'predict', 'serve')),
  maxPixels: z
    .int()
    .min(1)
    .default(50_000_000)
    .describe('Larger images are refused before they are decoded.')
    .register(readBy, only('eval', 'predict', 'serve')),
  onBroken: z
    .enum(['fail', 'skip'])
    .default('fail')
    .describe('A broken image ends the run, or is skipped and reported.')
    .register(readBy, only('eval')),
  workers: z
    .int()
    .min(0)
    .max(256)
    .default(1)
    .describe('Threads that prepare images; 0 prepares them in the main one.')
    .register(readBy, only('eval')),
});

const modelSchema = z.strictObject({
  backbone: backboneSchema(Object.keys(VARIANTS)).describe("The network, with its family's own classifier."),
  weights: z
    .string()
    .optional()
    .describe('Weights to start from; a head of another class count starts anew.')
    .register(readBy, only()),
  freeze: freezeSchema,
});

const inputSchema = z.strictObject({
  size: z.int().min(32).max(16_384).default(224).describe('Side of the images that the network takes.'),
  cropPct: z
    .number()
    .gt(0)
    .max(1)
    .default(0.875)
    .describe('Share of the resized shorter side that the validation crop keeps.')
    .register(readBy, only('eval', 'predict', 'serve', 'export')),
});

const augmentationSchema = z
  .strictObject({
    scale: z.tuple([fraction, fraction]).default([0.08, 1]).describe("Range of the crop's share of the image."),
    ratio: z
      .tuple([z.number().positive(), z.number().positive()])
      .default([3 / 4, 4 / 3])
      .describe("Range of the crop's width over its height."),
    flip: fraction.default(0.5).describe('Share of the images that are mirrored.'),
    randAugment: z.string().optional().describe("timm's notation, such as rand-m9-mstd0.5-inc1."),
    colourJitter: z.number().min(0).default(0).describe('Strength of random brightness, contrast and saturation.'),
    erasing: fraction.default(0).describe('Share of the images of which a rectangle is filled with noise.'),
    mixup: z.number().min(0).default(0).describe('Alpha of mixup; 0 leaves it out.'),
    cutmix: z.number().min(0).default(0).describe('Alpha of CutMix; 0 leaves it out.'),
    repeats: z
      .int()
      .min(1)
      .default(1)
      .describe(
        'Repeated augmentation: each image so often an epoch, augmented anew; an epoch stays as long, of fewer images.',
      ),
  })
  .prefault({});

export const classificationSchema = z.strictObject({
  data: dataSchema.describe('The images.'),
  model: modelSchema.describe('The network.'),
  input: inputSchema.prefault({}).describe('What the network takes.'),
  augmentation: augmentationSchema.describe('How training images are changed at random.').register(readBy, only()),
  loss: z
    .strictObject({
      labelSmoothing: fraction.default(0).describe('Share of each target that is spread over all classes.'),
      classWeights: classWeightsSchema.describe(
        "How much each class counts: a list of numbers by label, or `balanced`, by the training images of each; as PyTorch's `CrossEntropyLoss` takes them, of mixed images as of probabilities.",
      ),
    })
    .prefault({})
    .describe('Cross-entropy of soft targets.')
    .register(readBy, only()),
  train: trainSchema.describe('How the network learns.'),
  evaluation: evaluationSchema.describe('When and how the network is measured.'),
  runtime: runtimeSchema.describe('How the engine is opened.'),
});

/** The same where backbones of other names are known too. */
export const classificationSchemaOf = (backbones: BackboneCatalogue): typeof classificationSchema =>
  classificationSchema.extend({
    model: modelSchema.extend({ backbone: backboneSchema(backbones.names, backbones.faultOf) }),
  });

export type ClassificationConfig = z.output<typeof classificationSchema>;
