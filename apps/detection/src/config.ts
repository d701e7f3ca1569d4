import { VARIANTS } from '@pyramidal/backbones';
import { backboneSchema, evaluationSchema, runtimeSchema, trainSchema, z } from '@pyramidal/config';
import { detectorSchema, detectorSchemaOf, type DetectorTable } from './detectors';

const fraction = z.number().min(0).max(1);
const count = z.int().min(1);
const side = z.int().min(32);

const splitSchema = z.strictObject({
  /** Annotations in COCO's format, and the folder of their images, below the root. */
  annotations: z.string(),
  images: z.string(),
});

const dataSchema = z.strictObject({
  root: z.string(),
  train: splitSchema.default({ annotations: 'annotations/instances_train2017.json', images: 'train2017' }),
  val: splitSchema.default({ annotations: 'annotations/instances_val2017.json', images: 'val2017' }),
  /** File with the categories where there is no dataset to predict by; else those of the validation annotations. */
  categories: z.string().optional(),
  /** Only the first images of each split, by id: few, to see whether a network can learn them at all. */
  limit: count.optional(),
  /** Images without objects are left out of training, or kept as pure background. */
  emptyImages: z.enum(['keep', 'filter']).default('filter'),
  /** Pixels as EXIF's tag turns them for people, or as they are stored; default 'exif', as OpenCV and detectron2 read them. */
  orientation: z.enum(['exif', 'stored']).default('exif'),
  /** Larger images are refused before they are decoded. */
  maxPixels: z.int().min(1).default(50_000_000),
  /** A broken image ends the training, or is skipped and reported; evaluation takes no broken ones. */
  onBroken: z.enum(['fail', 'skip']).default('fail'),
  /** Objects of a training image beyond this number are left out, the smallest first. */
  maxObjects: count.default(100),
  /** Threads that prepare images and encode masks; 0 does both in the main one. */
  workers: z.int().min(0).default(1),
});

const modelSchema = z.strictObject({
  backbone: backboneSchema(Object.keys(VARIANTS)),
  /** The feature pyramid. */
  neck: z.strictObject({ channels: count.default(256) }).prefault({}),
  detector: detectorSchema,
  /** Weights to start from: a detector's, whose class heads may differ, or a classifier's, for the backbone alone. */
  weights: z.string().optional(),
});

const inputSchema = z
  .strictObject({
    /** What the sides of an image are resized to at most, keeping its shape. */
    shortest: side.default(800),
    longest: side.default(1333),
  })
  .refine(({ shortest, longest }) => longest >= shortest, { error: 'expected longest to be at least shortest' })
  .prefault({});

const augmentationSchema = z
  .strictObject({
    flip: fraction.default(0.5),
    /** Shorter sides to draw from in training; the input's where absent. */
    shortest: z.array(side).min(1).optional(),
    /** Some images are resized to one of these shorter sides and cropped, to sides in a range of pixels, before. */
    crop: z
      .strictObject({
        probability: fraction.default(0.5),
        shortest: z.array(side).min(1),
        sides: z.tuple([side, side]),
      })
      .optional(),
  })
  .prefault({});

export const detectionSchema = z.strictObject({
  data: dataSchema,
  model: modelSchema,
  input: inputSchema,
  augmentation: augmentationSchema,
  train: trainSchema,
  evaluation: evaluationSchema
    .unwrap()
    .extend({
      /** Print every category's numbers too. */
      perCategory: z.boolean().default(false),
      /** `predict` draws detections from this score on. */
      drawScore: fraction.default(0.5),
    })
    .prefault({}),
  runtime: runtimeSchema,
});

/** The same where backbones and detectors of other names are known too. */
export const detectionSchemaOf = (backbones: readonly string[], detectors: DetectorTable): typeof detectionSchema =>
  detectionSchema.extend({
    model: modelSchema.extend({ backbone: backboneSchema(backbones), detector: detectorSchemaOf(detectors) }),
  });

export type DetectionConfig = z.output<typeof detectionSchema>;
