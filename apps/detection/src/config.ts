/** What a configuration of a detection run may hold. */
import { type BackboneCatalogue, VARIANTS } from '@pyramidal/backbones';
import {
  backboneSchema,
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
import { detectorSchema, detectorSchemaOf, type DetectorTable } from './detectors';

const fraction = z.number().min(0).max(1);
const count = z.int().min(1);
const side = z.int().min(32).max(16_384);
const range = z
  .tuple([z.number().positive().max(10), z.number().positive().max(10)])
  .refine(([smallest, largest]) => largest >= smallest, { error: 'expected the smaller number first' });

const splitSchema = z.strictObject({
  annotations: z.string().describe("Annotation file in COCO's format, below the root."),
  images: z.string().describe('Folder of its images, below the root.'),
});

const dataSchema = z.strictObject({
  root: z.string().min(1).describe('Folder of the data set.').register(readBy, namingClasses('eval')),
  train: splitSchema
    .default({ annotations: 'annotations/instances_train2017.json', images: 'train2017' })
    .describe('What is learned from.')
    .register(readBy, namingClasses('eval')),
  val: validationSchema(splitSchema)
    .default({ annotations: 'annotations/instances_val2017.json', images: 'val2017' })
    .describe(
      'What is measured on: images of their own, a share of the training images, drawn by their ids, or `none`, which keeps the last checkpoint alone.',
    )
    .register(readBy, namingClasses('eval')),
  categories: z
    .string()
    .optional()
    .describe(
      'File with the categories where there is no dataset to predict by; else those of the validation annotations.',
    )
    .register(readBy, namingClasses()),
  limit: count
    .optional()
    .describe('Only the first images of each split, by id: few, to see whether a network can learn them at all.')
    .register(readBy, only('eval')),
  emptyImages: z
    .enum(['keep', 'filter'])
    .default('filter')
    .describe('Images without objects are left out of training, or kept as pure background.')
    .register(readBy, only()),
  orientation: z
    .enum(['exif', 'stored'])
    .default('exif')
    .describe(
      "Pixels as EXIF's tag turns them for people, or as they are stored; default 'exif', as OpenCV and detectron2 read them.",
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
    .describe('A broken image ends the training, or is skipped and reported; evaluation takes no broken ones.')
    .register(readBy, only()),
  repeatThreshold: fraction
    .optional()
    .describe(
      'Images with a category that less than this share of the training images has are seen more often, as LVIS does (0.001 there): sqrt(threshold / share) times an epoch.',
    )
    .register(readBy, only()),
  maxObjects: count
    .default(100)
    .describe('Objects of a training image beyond this number are left out, the smallest first.')
    .register(readBy, only()),
  workers: z
    .int()
    .min(0)
    .max(256)
    .default(1)
    .describe('Threads that prepare images and encode masks; 0 does both in the main one.')
    .register(readBy, only('eval', 'predict', 'serve')),
});

const modelSchema = z.strictObject({
  backbone: backboneSchema(Object.keys(VARIANTS)).describe('What the detector stands on.'),
  neck: z
    .strictObject({ channels: count.default(256).describe('Width of its maps.') })
    .prefault({})
    .describe('The feature pyramid.'),
  detector: detectorSchema.describe('The detector, with the published settings as defaults.'),
  weights: z
    .string()
    .optional()
    .describe(
      "Weights to start from: a detector's, whose class heads may differ, or a classifier's, for the backbone alone.",
    )
    .register(readBy, only()),
  freeze: freezeSchema,
});

const inputSchema = z
  .strictObject({
    shortest: side.default(800).describe('What the shorter side of an image is resized to at most, keeping its shape.'),
    longest: side.default(1333).describe('What the longer side is resized to at most.'),
  })
  .refine(({ shortest, longest }) => longest >= shortest, { error: 'expected longest to be at least shortest' })
  .prefault({});

const augmentationSchema = z
  .strictObject({
    flip: fraction.default(0.5).describe('Share of the images that are mirrored.'),
    shortest: z
      .array(side)
      .min(1)
      .optional()
      .describe("Shorter sides to draw from in training; the input's where absent."),
    crop: z
      .strictObject({
        probability: fraction.default(0.5).describe('Share of the images that are cropped.'),
        shortest: z.array(side).min(1).describe('Shorter sides to draw from before the crop.'),
        sides: z.tuple([side, side]).describe("Range of the crop's sides."),
      })
      .optional()
      .describe(
        'Some images are resized to one of these shorter sides and cropped, to sides in a range of pixels, before.',
      ),
    largeScaleJitter: range
      .optional()
      .describe("Factors on the image's size, in place of the crop; what is larger than the input is cut to it."),
    rotate: z
      .number()
      .min(0)
      .max(45)
      .default(0)
      .describe('Turns to either side, in degrees at most; boxes fit the turned masks, or the turned boxes.'),
    mosaic: fraction.default(0).describe('Share of the images that become one of four.'),
    copyPaste: z
      .strictObject({
        probability: fraction.default(0.5).describe('Share of the images that get objects of another one.'),
        scale: range.default([0.5, 1.5]).describe('Size of the other image, in sizes of this one.'),
      })
      .optional()
      .describe('Objects that have masks are cut out of one image and lie in another, in front of what is there.'),
    photometric: z.boolean().default(false).describe('Random brightness, contrast, saturation and hue.'),
    minVisible: fraction
      .default(0.25)
      .describe('Objects of which augmentation leaves a smaller share are neither learned nor background.'),
  })
  .prefault({});

export const detectionSchema = z.strictObject({
  data: dataSchema.describe('The images and their objects.'),
  model: modelSchema.describe('The network.'),
  input: inputSchema.describe('What the network takes.'),
  augmentation: augmentationSchema.describe('How training images are changed at random.').register(readBy, only()),
  train: trainSchema.describe('How the network learns.'),
  evaluation: evaluationSchema
    .unwrap()
    .extend({
      loss: z
        .boolean()
        .default(false)
        .describe(
          'Also measure the loss on the validation images, unchanged and as at inference, with the same draws every time: another forward pass of each image.',
        )
        .register(readBy, only()),
      perCategory: z
        .boolean()
        .default(false)
        .describe("Print every category's numbers too.")
        .register(readBy, only('eval')),
      drawScore: fraction
        .default(0.5)
        .describe('`predict` draws detections from this score on.')
        .register(readBy, only('predict')),
    })
    .prefault({})
    .describe('When and how the network is measured.'),
  runtime: runtimeSchema.describe('How the engine is opened.'),
});

/** The same where backbones and detectors of other names are known too. */
export const detectionSchemaOf = (backbones: BackboneCatalogue, detectors: DetectorTable): typeof detectionSchema =>
  detectionSchema.extend({
    model: modelSchema.extend({
      backbone: backboneSchema(backbones.names, backbones.faultOf),
      detector: detectorSchemaOf(detectors),
    }),
  });

export type DetectionConfig = z.output<typeof detectionSchema>;
