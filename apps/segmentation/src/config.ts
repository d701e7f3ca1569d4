/** What a configuration of a segmentation run may hold. */
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
import { headSchema, headSchemaOf, type HeadTable } from './heads';

const fraction = z.number().min(0).max(1);
const positive = z.number().positive();
const count = z.int().min(1);
const side = z.int().min(32).max(16_384).describe('In pixels.');
const size = z.strictObject({ height: side, width: side });
const stride = count.describe('In pixels.');
const step = z.strictObject({ height: stride, width: stride });

const dataSchema = z.strictObject({
  root: z
    .string()
    .min(1)
    .describe("Folder in ADE20K's layout: `images/<split>/*.jpg`, `annotations/<split>/*.png`.")
    .register(readBy, namingClasses('eval')),
  images: z.string().default('images').describe('Folder of the images below the root.').register(readBy, only('eval')),
  annotations: z
    .string()
    .default('annotations')
    .describe('Folder of the label PNGs below the root.')
    .register(readBy, only('eval')),
  train: z
    .string()
    .default('training')
    .describe('Folder of the training split in both.')
    .register(readBy, only('eval')),
  val: validationSchema(z.string())
    .default('validation')
    .describe(
      'Folder of the validation split in both, or a share of the training images, drawn by their names, or `none`, which keeps the last checkpoint alone.',
    )
    .register(readBy, only('eval')),
  classList: z
    .string()
    .optional()
    .describe(
      "Class list, as JSON or with a name on each line; else `classes.json` or `classes.txt` in the root, else ADE20K's 150 classes.",
    )
    .register(readBy, namingClasses('eval')),
  colours: z
    .record(z.string().min(1), z.string().regex(/^#[0-9a-fA-F]{6}$/, "expected a colour such as '#804080'"))
    .optional()
    .describe(
      "Labels show classes as colours: each class with its own, such as `{ road: '#804080' }`, in place of a class list; `unlabelled` is no class.",
    )
    .register(readBy, namingClasses('eval')),
  reduceZeroLabel: z
    .boolean()
    .default(true)
    .describe('Label 0 is unlabelled and k is class k - 1; otherwise k is class k. 255 is unlabelled either way.')
    .register(readBy, only('eval', 'predict')),
  orientation: z
    .enum(['exif', 'stored'])
    .default('exif')
    .describe(
      "Pixels as EXIF's tag turns them for people, or as they are stored; default 'exif', as OpenCV and MMSegmentation read them.",
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
    .describe('A broken image ends the run, or is skipped and reported; evaluation takes no broken ones.')
    .register(readBy, only()),
  workers: z
    .int()
    .min(0)
    .max(256)
    .default(1)
    .describe('Threads that prepare images; 0 prepares them in the main one.')
    .register(readBy, only()),
});

const modelSchema = z.strictObject({
  backbone: backboneSchema(Object.keys(VARIANTS)).describe('What the head stands on.'),
  head: headSchema.describe('The segmentation head.'),
  weights: z
    .string()
    .optional()
    .describe(
      "Weights to start from: a segmentor's, whose class heads may differ, or a classifier's, for the backbone alone.",
    )
    .register(readBy, only()),
  freeze: freezeSchema,
});

const inputSchema = z
  .strictObject({
    longest: z
      .int()
      .min(32)
      .max(16_384)
      .default(2048)
      .describe('Longer side of the box that images are resized to fit, keeping their shape.')
      .register(readBy, only('eval', 'predict', 'serve', 'export')),
    shortest: z
      .int()
      .min(32)
      .max(16_384)
      .default(512)
      .describe('Shorter side of that box.')
      .register(readBy, only('eval', 'predict', 'serve', 'export')),
    crop: z
      .int()
      .min(32)
      .max(16_384)
      .default(512)
      .describe('Side of the training crop.')
      .register(readBy, only('export', 'info')),
  })
  .prefault({});

const augmentationSchema = z
  .strictObject({
    ratioRange: z.tuple([positive, positive]).default([0.5, 2]).describe('Range of the factor on the box.'),
    catMaxRatio: fraction
      .default(0.75)
      .describe('Crops are drawn anew while one class has this share of their labelled pixels.'),
    flip: fraction.default(0.5).describe('Share of the images that are mirrored.'),
    photometric: z.boolean().default(true).describe('Random brightness, contrast, saturation and hue.'),
    rotate: z
      .number()
      .min(0)
      .max(45)
      .default(0)
      .describe('Turns to either side, in degrees at most; what comes into the image is unlabelled.'),
    cutMix: fraction
      .default(0)
      .describe('Share of the images of which a rectangle shows another one, with its labels.'),
  })
  .prefault({});

const inferenceSchema = z
  .discriminatedUnion('mode', [
    z.strictObject({ mode: z.literal('whole') }),
    /** Through windows of `crop` every `stride` pixels, whose logits are averaged. */
    z.strictObject({
      mode: z.literal('slide'),
      crop: size.describe('Size of the windows.'),
      stride: step.describe('Steps from one to the next.'),
    }),
  ])
  .default({ mode: 'whole' });

export const segmentationSchema = z.strictObject({
  data: dataSchema.describe('The images and their labels.'),
  model: modelSchema.describe('The network.'),
  input: inputSchema.describe('What the network takes.'),
  augmentation: augmentationSchema.describe('How training images are changed at random.').register(readBy, only()),
  inference: inferenceSchema
    .describe(
      'How images are looked at in evaluation and prediction: whole, or through windows whose logits are averaged.',
    )
    .register(readBy, only('eval', 'predict', 'serve', 'export')),
  testTime: z
    .strictObject({
      ratios: z.array(positive).min(1).default([1]).describe('Factors on the box.'),
      flip: z.boolean().default(false).describe('Also mirrored.'),
    })
    .prefault({})
    .describe('Every image at several sizes, and mirrored; the probabilities are averaged.')
    .register(readBy, only('eval', 'predict', 'serve', 'export')),
  loss: z
    .strictObject({
      classWeights: classWeightsSchema.describe(
        "How much each class counts: a list of numbers by label, or `balanced`, by the pixels of each in the training labels; the mean is PyTorch's then, over labelled pixels.",
      ),
    })
    .prefault({})
    .describe('Cross entropy of the pixels.')
    .register(readBy, only()),
  train: trainSchema.describe('How the network learns.'),
  evaluation: evaluationSchema.describe('When and how the network is measured.'),
  runtime: runtimeSchema.describe('How the engine is opened.'),
});

/** The same where backbones and heads of other names are known too. */
export const segmentationSchemaOf = (backbones: BackboneCatalogue, heads: HeadTable): typeof segmentationSchema =>
  segmentationSchema.extend({
    model: modelSchema.extend({
      backbone: backboneSchema(backbones.names, backbones.faultOf),
      head: headSchemaOf(heads),
    }),
  });

export type SegmentationConfig = z.output<typeof segmentationSchema>;
