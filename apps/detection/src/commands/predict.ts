import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import type { Detector } from '@pyramidal/boxes';
import { drawAttention, type PredictCommand } from '@pyramidal/task';
import type { DetectionClass, DetectionSample } from '@pyramidal/coco';
import { loadConfig } from '@pyramidal/config';
import { decodeImage, encodeImage } from '@pyramidal/images';
import { openRuntime } from '@pyramidal/runtime';
import { loadWeightsFile } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { plainBatches } from '../assemble';
import type { DetectionConfig } from '../config';
import type { DetectionDefinition } from '../definition';
import { readClasses } from '../data';
import { drawDetections } from '../draw-detections';
import { type Detection, ImageDetector } from '../image-detector';

/** Finds the objects of each image; writes them to `predictions.json`, and the pictures with those of a good score drawn. */
export async function predict(
  { schema, assemble }: DetectionDefinition,
  { config: file, set, weights, images, out, attention }: PredictCommand,
): Promise<number> {
  const { config } = loadConfig(schema, file, { set });
  const classes = await readClasses(config);
  const samples = await Promise.all(images.map(sampleOf));
  await openRuntime(config.runtime);
  const detector = assemble(config, classes.length);
  loadWeightsFile(weights, detector, { ema: config.evaluation.ema });
  mkdirSync(out, { recursive: true });

  const files = new ImageDetector(detector, config, samples);
  const predictions: unknown[] = [];
  try {
    for await (const { sample, detections } of files.detect()) {
      const shown = detections.filter(({ score }) => score >= config.evaluation.drawScore);
      const name = `${pictureName(sample)}.jpg`;
      const picture = await drawDetections(await decodeImage(sample.file), shown, classes);
      writeFileSync(join(out, name), await encodeImage(picture, 'jpeg'));
      predictions[sample.id] = {
        image: sample.file,
        picture: name,
        detections: detections.map((detection) => recordOf(detection, classes)),
      };
      console.log(`${sample.file}: ${describe(shown, classes)}`);
    }
    if (attention) await drawAttentions(detector, config, samples, out);
  } finally {
    await files.close();
    detector.dispose();
  }
  writeFileSync(join(out, 'predictions.json'), `${JSON.stringify(predictions, null, 2)}\n`);
  console.log(`results in ${out}`);
  return 0;
}

/** What the backbone attends to in each image, as the network sees it. */
async function drawAttentions(
  { backbone }: Detector,
  config: DetectionConfig,
  samples: readonly DetectionSample[],
  out: string,
): Promise<void> {
  const batches = plainBatches(config, samples, 1);
  try {
    for await (const {
      tensors,
      samples: [sample],
    } of batches.batches()) {
      const [, height, width] = tensors.images.shape;
      const pixels = (await tensors.images.data()) as Float32Array;
      tf.dispose({ ...tensors });
      await drawAttention(backbone, { pixels, height, width }, join(out, pictureName(samples[sample!.id]!)));
    }
  } finally {
    await batches.close();
  }
}

/** Numbered, since images of different folders may share a name. */
function pictureName({ id, file }: DetectionSample): string {
  return `${String(id).padStart(4, '0')}-${basename(file, extname(file))}`;
}

/** An image of which only the picture is known. */
async function sampleOf(file: string, id: number): Promise<DetectionSample> {
  const { width, height } = await decodeImage(file);
  return { id, file, width, height, objects: [], crowds: [] };
}

function recordOf({ label, score, box, mask }: Detection, classes: readonly DetectionClass[]) {
  const { categoryId, name } = classes[label]!;
  return { categoryId, name, score, box, ...(mask && { mask }) };
}

/** Such as `3 cat, 1 dog`. */
function describe(detections: readonly Detection[], classes: readonly DetectionClass[]): string {
  const counts = new Map<string, number>();
  for (const { label } of detections) counts.set(classes[label]!.name, (counts.get(classes[label]!.name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${count} ${name}`).join(', ') || 'nothing';
}
