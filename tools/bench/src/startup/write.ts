/** Writes what a case of the startup benchmark reads, a checkpoint that knows nothing and a picture: `write.ts CASE FOLDER SIZE`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportWeights, writeSafetensors } from '@pyramidal/checkpoints';
import { assembleClassifier, classificationSchema } from '@pyramidal/classification';
import { assembleDetector, detectionSchema } from '@pyramidal/detection';
import { encodeImage, IMAGENET_NORMALISATION, type Size } from '@pyramidal/images';
import { openConfig } from '@pyramidal/inference';
import type { Module } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { assembleSegmentor, segmentationSchema } from '@pyramidal/segmentation';
import { cardTexts } from '@pyramidal/training';

const COMMON = { data: { root: 'none' }, train: { epochs: 1, batchSize: 1, optimizer: { name: 'adamw', lr: 1e-3 } } };
const BACKBONE = { name: 'groupmixformer_tiny' };
const SAMPLE = join(__dirname, '../../../../configs/detection/sample.yaml');

interface Written {
  readonly task: string;
  readonly classes: number;
  readonly config: { readonly input: object };
  readonly module: Module;
}

function detector(config: ReturnType<typeof detectionSchema.parse>, classes: number): Written {
  return { task: 'detection', classes, config, module: assembleDetector(config, classes) };
}

const CASES: Readonly<Record<string, () => Written>> = {
  classify: () => {
    const config = classificationSchema.parse({ ...COMMON, model: { backbone: BACKBONE }, input: { size: 224 } });
    return { task: 'classification', classes: 1000, config, module: assembleClassifier(config, 1000) };
  },
  segment: () => {
    const model = { backbone: BACKBONE, head: { name: 'upernet' } };
    const config = segmentationSchema.parse({ ...COMMON, model, input: { longest: 2048, shortest: 512, crop: 512 } });
    return { task: 'segmentation', classes: 150, config, module: assembleSegmentor(config, 150) };
  },
  detect: () => {
    const model = { backbone: BACKBONE, detector: { name: 'mask-rcnn' } };
    return detector(detectionSchema.parse({ ...COMMON, model, input: { shortest: 800, longest: 1333 } }), 80);
  },
  'detect-sample': () => detector(openConfig(detectionSchema, { config: SAMPLE, set: [] }).config, 4),
};

async function main([name, folder, size]: string[]): Promise<void> {
  await openRuntime({ engine: 'tensorflow' });
  const { task, classes, config, module } = CASES[name as string]!();
  module.initialize(1);
  const card = {
    task,
    classes: Array.from({ length: classes }, (_, i) => ({
      id: i + 1,
      name: `class ${i + 1}`,
      colour: [i % 256, 90, 200] as const,
    })),
    normalisation: IMAGENET_NORMALISATION,
    input: { ...config.input } as Record<string, number>,
    config: JSON.stringify(config), // which is YAML too
  };
  writeSafetensors(join(folder as string, 'weights.safetensors'), await exportWeights(module), cardTexts(card));
  writeFileSync(
    join(folder as string, 'picture.jpg'),
    await encodeImage(photograph(JSON.parse(size as string)), 'jpeg'),
  );
}

/** Waves of several lengths. */
function photograph({ height, width }: Size) {
  const data = Uint8Array.from({ length: 3 * height * width }, (_, i) => {
    const [x, y, colour] = [Math.floor(i / 3) % width, Math.floor(i / (3 * width)), i % 3];
    return 127 + 70 * Math.sin(0.07 * x * (colour + 1) + 0.02 * y) + 50 * Math.cos(0.11 * y + 0.0005 * x * y);
  });
  return { data, height, width };
}

void main(process.argv.slice(2));
