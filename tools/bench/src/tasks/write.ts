/** Writes a model of random weights as a checkpoint: `write.ts NETWORK FILE`. */
import { exportWeights, writeSafetensors } from '@pyramidal/checkpoints';
import { loadConfig } from '@pyramidal/config';
import { assembleDetector, detectionSchema } from '@pyramidal/detection';
import { IMAGENET_NORMALISATION } from '@pyramidal/images';
import type { Module } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { assembleSegmentor, segmentationSchema } from '@pyramidal/segmentation';
import { cardTexts } from '@pyramidal/training';
import { join } from 'node:path';
import { CLASSES, CONFIGS } from '../card/works';
import { calibrate } from './calibrate';

const SET = ['model.backbone.name=groupmixformer_tiny', 'data.workers=1'];

interface Model {
  readonly task: string;
  readonly module: Module;
  readonly config: { readonly input: Readonly<Record<string, unknown>> };
  readonly classes: number;
}

const MODELS: Readonly<Record<string, () => Model>> = {
  'mask-rcnn': () => {
    const { config } = loadConfig(detectionSchema, join(CONFIGS, 'detection/mask-rcnn_1x.yaml'), { set: SET });
    const module = assembleDetector(config, CLASSES['mask-rcnn']);
    module.initialize(1);
    calibrate(module);
    return { task: 'detection', module, config, classes: CLASSES['mask-rcnn'] };
  },
  upernet: () => {
    const { config } = loadConfig(segmentationSchema, join(CONFIGS, 'segmentation/upernet_160k.yaml'), { set: SET });
    const module = assembleSegmentor(config, CLASSES.upernet);
    module.initialize(1);
    return { task: 'segmentation', module, config, classes: CLASSES.upernet };
  },
};

async function main([network, file]: string[]): Promise<void> {
  await openRuntime({ engine: 'tensorflow' });
  const { task, module, config, classes } = MODELS[network as string]!();
  const names = Array.from({ length: classes }, (_, i) => ({ id: i + 1, name: `class ${i + 1}`, colour: [200, i, 40] as const })); // prettier-ignore
  const card = {
    ...{ task, classes: names, normalisation: IMAGENET_NORMALISATION },
    ...{ input: config.input, config: JSON.stringify(config) }, // which is YAML too
  };
  writeSafetensors(file as string, await exportWeights(module), cardTexts(card as Parameters<typeof cardTexts>[0]));
}

void main(process.argv.slice(2));
