import { VARIANTS } from '@pyramidal/backbones';
import { backboneSchema, evaluationSchema, runtimeSchema, trainSchema, z } from '@pyramidal/config';
import { headSchema, headSchemaOf, type HeadTable } from './heads';

const fraction = z.number().min(0).max(1);
const positive = z.number().positive();
const count = z.int().min(1);
const size = z.strictObject({ height: z.int().min(32), width: z.int().min(32) });
const step = z.strictObject({ height: count, width: count });

const dataSchema = z.strictObject({
  /** Folder in ADE20K's layout: `images/<split>/*.jpg`, `annotations/<split>/*.png`. */
  root: z.string(),
  /** Folders of the images and of the label PNGs below the root. */
  images: z.string().default('images'),
  annotations: z.string().default('annotations'),
  train: z.string().default('training'),
  val: z.string().default('validation'),
  /** Class list; else `classes.json` in the root, else ADE20K's 150 classes. */
  classList: z.string().optional(),
  /** Label 0 is unlabelled and k is class k - 1; otherwise k is class k. 255 is unlabelled either way. */
  reduceZeroLabel: z.boolean().default(true),
  /** Pixels as EXIF's tag turns them for people, or as they are stored; default 'exif', as OpenCV and MMSegmentation read them. */
  orientation: z.enum(['exif', 'stored']).default('exif'),
  /** Larger images are refused before they are decoded. */
  maxPixels: z.int().min(1).default(50_000_000),
  /** A broken image ends the run, or is skipped and reported; evaluation takes no broken ones. */
  onBroken: z.enum(['fail', 'skip']).default('fail'),
  /** Threads that prepare images; 0 prepares them in the main one. */
  workers: z.int().min(0).default(1),
});

const modelSchema = z.strictObject({
  backbone: backboneSchema(Object.keys(VARIANTS)),
  head: headSchema,
  /** Weights to start from: a segmentor's, whose class heads may differ, or a classifier's, for the backbone alone. */
  weights: z.string().optional(),
});

const inputSchema = z
  .strictObject({
    /** The box that images are resized to fit, keeping their shape. */
    longest: z.int().min(32).default(2048),
    shortest: z.int().min(32).default(512),
    /** Side of the training crop. */
    crop: z.int().min(32).default(512),
  })
  .prefault({});

const augmentationSchema = z
  .strictObject({
    /** Range of the factor on the box. */
    ratioRange: z.tuple([positive, positive]).default([0.5, 2]),
    /** Crops are drawn anew while one class has this share of their labelled pixels. */
    catMaxRatio: fraction.default(0.75),
    flip: fraction.default(0.5),
    /** Random brightness, contrast, saturation and hue. */
    photometric: z.boolean().default(true),
  })
  .prefault({});

const inferenceSchema = z
  .discriminatedUnion('mode', [
    z.strictObject({ mode: z.literal('whole') }),
    /** Through windows of `crop` every `stride` pixels, whose logits are averaged. */
    z.strictObject({ mode: z.literal('slide'), crop: size, stride: step }),
  ])
  .default({ mode: 'whole' });

export const segmentationSchema = z.strictObject({
  data: dataSchema,
  model: modelSchema,
  input: inputSchema,
  augmentation: augmentationSchema,
  inference: inferenceSchema,
  /** Looks at every image at these ratios of the box, and mirrored, and averages the probabilities. */
  testTime: z
    .strictObject({ ratios: z.array(positive).min(1).default([1]), flip: z.boolean().default(false) })
    .prefault({}),
  train: trainSchema,
  evaluation: evaluationSchema,
  runtime: runtimeSchema,
});

/** The same where backbones and heads of other names are known too. */
export const segmentationSchemaOf = (backbones: readonly string[], heads: HeadTable): typeof segmentationSchema =>
  segmentationSchema.extend({
    model: modelSchema.extend({ backbone: backboneSchema(backbones), head: headSchemaOf(heads) }),
  });

export type SegmentationConfig = z.output<typeof segmentationSchema>;
