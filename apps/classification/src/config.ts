import { VARIANTS } from '@pyramidal/backbones';
import { backboneSchema, evaluationSchema, runtimeSchema, trainSchema, z } from '@pyramidal/config';

const fraction = z.number().min(0).max(1);

const dataSchema = z.strictObject({
  /** Folder in the ImageFolder layout: `train/<class>/*.jpg`, `val/<class>/*.jpg`. */
  root: z.string(),
  /** Gives the labels; else `classes.json` or `classes.txt` in the root, else the sorted folder names. */
  classIndex: z.string().optional(),
  train: z.string().default('train'),
  val: z.string().default('val'),
  /** Pixels as EXIF's tag turns them for people, or as they are stored; default 'stored', as torchvision and timm read them. */
  orientation: z.enum(['exif', 'stored']).default('stored'),
  /** Larger images are refused before they are decoded. */
  maxPixels: z.int().min(1).default(50_000_000),
  /** A broken image ends the run, or is skipped and reported. */
  onBroken: z.enum(['fail', 'skip']).default('fail'),
  /** Threads that prepare images; 0 prepares them in the main one. */
  workers: z.int().min(0).default(1),
});

const modelSchema = z.strictObject({
  backbone: backboneSchema(Object.keys(VARIANTS)),
  /** Weights to start from; a head of another class count starts anew. */
  weights: z.string().optional(),
});

const inputSchema = z.strictObject({
  size: z.int().min(32).default(224),
  /** Share of the resized shorter side that the validation crop keeps. */
  cropPct: z.number().gt(0).max(1).default(0.875),
});

const augmentationSchema = z
  .strictObject({
    /** Range of the crop's share of the image, and of its width over its height. */
    scale: z.tuple([fraction, fraction]).default([0.08, 1]),
    ratio: z.tuple([z.number().positive(), z.number().positive()]).default([3 / 4, 4 / 3]),
    flip: fraction.default(0.5),
    /** timm's notation, such as rand-m9-mstd0.5-inc1. */
    randAugment: z.string().optional(),
    colourJitter: z.number().min(0).default(0),
    erasing: fraction.default(0),
    mixup: z.number().min(0).default(0),
    cutmix: z.number().min(0).default(0),
    /** Repeated augmentation: each image so often an epoch, augmented anew; an epoch stays as long, of fewer images. */
    repeats: z.int().min(1).default(1),
  })
  .prefault({});

export const classificationSchema = z.strictObject({
  data: dataSchema,
  model: modelSchema,
  input: inputSchema.prefault({}),
  augmentation: augmentationSchema,
  loss: z.strictObject({ labelSmoothing: fraction.default(0) }).prefault({}),
  train: trainSchema,
  evaluation: evaluationSchema,
  runtime: runtimeSchema,
});

/** The same where backbones of other names are known too. */
export const classificationSchemaOf = (backbones: readonly string[]): typeof classificationSchema =>
  classificationSchema.extend({ model: modelSchema.extend({ backbone: backboneSchema(backbones) }) });

export type ClassificationConfig = z.output<typeof classificationSchema>;
