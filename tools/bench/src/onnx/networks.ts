/** The networks of the ONNX table: every family and every head, at published widths. */
import { assembleClassifier, classificationSchema } from '@pyramidal/classification';
import { assembleDetector, detectionSchema } from '@pyramidal/detection';
import { type Classifier, inferencePass } from '@pyramidal/nn';
import { assembleSegmentor, segmentationSchema } from '@pyramidal/segmentation';
import { resizeBilinear } from '@pyramidal/kernels';
import * as tf from '@tensorflow/tfjs-core';

/** The smallest published size of each family. */
export const FAMILIES = ['groupmixformer_miny', 'coat_tiny', 'coat_lite_tiny', 'maformer_small', 'smt_tiny'] as const;
export type Family = (typeof FAMILIES)[number];

type Outputs = Readonly<Record<string, tf.Tensor>>;

/** A network whose ONNX model is compared with it. */
export interface OnnxNetwork {
  /** To be filled with values, and disposed of. */
  readonly module: Pick<Classifier, 'state' | 'dispose'>;
  /** From images, float32 [1, H, W, 3], normalised. */
  readonly outputs: (images: tf.Tensor4D) => Outputs;
  /** The output that tells which rows of the others hold something. */
  readonly rows?: string;
}

/** What is made of a backbone. */
export interface Task {
  readonly name: string;
  readonly size: { readonly height: number; readonly width: number };
  readonly create: (family: Family) => OnnxNetwork;
}

const COMMON = { data: { root: 'none' }, train: { epochs: 1, batchSize: 1, optimizer: { name: 'adamw', lr: 1e-3 } } };
/** All that is found counts, so that there is something to compare. */
const ALL_FOUND = { detections: { scoreThreshold: 0 } };

function classifier(family: Family): OnnxNetwork {
  const module = assembleClassifier(
    classificationSchema.parse({ ...COMMON, model: { backbone: { name: family } } }),
    1000,
  );
  return { module, outputs: (images) => ({ logits: module.forward(images, inferencePass()) }) };
}

const segmentor =
  (head: object) =>
  (family: Family): OnnxNetwork => {
    const config = segmentationSchema.parse({ ...COMMON, model: { backbone: { name: family }, head } });
    const module = assembleSegmentor(config, 150);
    return {
      module,
      outputs: (images) => {
        const [, height, width] = images.shape;
        const logits = module.forward(images, inferencePass());
        return { labels: tf.argMax(resizeBilinear(logits, [height, width], { alignCorners: false }), 3), logits };
      },
    };
  };

const detector =
  (settings: object) =>
  (family: Family): OnnxNetwork => {
    const config = detectionSchema.parse({
      ...COMMON,
      model: { backbone: { name: family }, detector: settings },
    });
    const module = assembleDetector(config, 80);
    return {
      module,
      rows: 'valid',
      outputs: (images) => {
        const [, height, width] = images.shape;
        const batch = { images, sizes: tf.tensor2d([[height, width]]) };
        return { ...module.predict(batch, tf.ones([1, 2]), inferencePass())[0]! };
      },
    };
  };

const SMALL = { height: 128, width: 128 };
const WIDE = { height: 128, width: 160 };

export const TASKS: readonly Task[] = [
  { name: 'classify', size: { height: 224, width: 224 }, create: classifier },
  { name: 'upernet', size: SMALL, create: segmentor({ name: 'upernet' }) },
  { name: 'semantic-fpn', size: SMALL, create: segmentor({ name: 'semantic-fpn' }) },
  ...['retinanet', 'mask-rcnn', 'faster-rcnn', 'cascade-rcnn', 'cascade-mask-rcnn', 'atss'].map((name) => ({
    ...{ name, size: WIDE },
    create: detector({ name, ...ALL_FOUND }),
  })),
  ...['sparse-rcnn', 'deformable-detr', 'dino'].map((name) => ({ name, size: WIDE, create: detector({ name }) })),
];
