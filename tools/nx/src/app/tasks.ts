/** What an app's files say of its task. */
interface TaskWords {
  /** What it learns, and from which pictures. */
  readonly learns: string;
  /** How the pictures lie in their folder, a line each. */
  readonly layout: readonly string[];
  /** Of metrics.json, the number that tells how good a network is, from 0 to 1. */
  readonly metric: string;
  /** Overrides that make a configuration small enough for a test. */
  readonly small: readonly string[];
}

const SMALL = [
  ...['data.workers=0', 'model.backbone.depths=[1, 1, 1, 1]', 'train.epochs=1', 'train.batchSize=2'],
  // Compiling costs more than two steps gain by it.
  'runtime.compile=false',
];

export const TASKS = {
  classification: {
    learns: 'the class of a picture, from one folder of pictures a class',
    layout: ['train/<class>/*.jpg    val/<class>/*.jpg'],
    metric: 'top1',
    small: [...SMALL, 'input.size=64'],
  },
  segmentation: {
    learns: 'the class of every pixel, from pictures and their label maps',
    layout: [
      'images/training/<name>.jpg         images/validation/<name>.jpg',
      'annotations/training/<name>.png    annotations/validation/<name>.png    8-bit grey',
      'classes.json                       the names of the classes: ["road", "sky"]',
    ],
    metric: 'mIoU',
    small: [
      ...SMALL,
      ...['input.longest=64', 'input.shortest=64', 'input.crop=64'],
      ...['model.head.channels=16', 'model.head.auxiliaryChannels=16'],
    ],
  },
  detection: {
    learns: 'boxes and masks of objects, from a folder of pictures and annotations in COCO format',
    layout: ['train/*.jpg    annotations/instances_train.json', 'val/*.jpg      annotations/instances_val.json'],
    metric: 'box.AP',
    small: [
      ...SMALL,
      ...['input.longest=96', 'input.shortest=96', 'augmentation.shortest=[96]', 'model.neck.channels=32'],
      ...['model.detector.boxHidden=32', 'model.detector.maskHidden=16', 'model.detector.maskConvs=1'],
      ...['model.detector.roiSample.count=16', 'model.detector.trainProposals.count=50'],
      'model.detector.testProposals.count=50',
    ],
  },
} as const satisfies Readonly<Record<string, TaskWords>>;

export type Task = keyof typeof TASKS;
