/** `pyramidal-detect predict`. */
import { basename } from 'node:path';
import type { Detector } from '@pyramidal/boxes';
import type { DetectionClass, DetectionSample } from '@pyramidal/coco';
import { writeFileAtomically } from '@pyramidal/files';
import { decodeImage, encodeImage, type Orientation, readImageHeader, sizeAs } from '@pyramidal/images';
import {
  drawAttention,
  findImages,
  type PredictCommand,
  type Predictions,
  withTrainedNetwork,
  writePredictions,
} from '@pyramidal/task';
import * as tf from '@tensorflow/tfjs-core';
import { decodingOf, plainBatches } from '../assemble';
import type { DetectionConfig } from '../config';
import type { DetectionDefinition } from '../definition';
import { drawDetections } from '../draw-detections';
import { type Detection, ImageDetector } from '../image-detector';

/** Finds the objects of each image; writes them to `predictions.json`, and the pictures with those of a good score drawn. */
export function predict(definition: DetectionDefinition, command: PredictCommand): Promise<number> {
  const images = findImages(command.images);
  return withTrainedNetwork(definition, command, ({ config, data: { classes }, network }) =>
    writePredictions(command.out, async (predictions) => {
      const decode = decodingOf(config);
      const samples = await readSamples(predictions, images, config.data.orientation);
      if (samples.length === 0) return;
      const files = new ImageDetector(network, config, samples, { onBroken: 'skip' });
      try {
        for await (const { sample, detections } of files.detect()) {
          const shown = detections.filter(({ score }) => score >= (command.score ?? config.evaluation.drawScore));
          const picture = `${predictions.pathOf(sample.file, sample.id)}.jpg`;
          const drawn = await drawDetections(await decodeImage(sample.file, decode), shown, classes);
          writeFileAtomically(picture, await encodeImage(drawn, 'jpeg'));
          const written = command.score === undefined ? detections : shown;
          const found = written.map((detection) => recordOf(detection, classes));
          predictions.add(sample.file, {
            record: { picture: basename(picture), detections: found },
            summary: describe(shown, classes),
          });
        }
        for (const [file, reason] of files.broken) predictions.broken.set(file, reason);
      } finally {
        await files.close();
      }
      const readable = samples.filter(({ file }) => !predictions.broken.has(file));
      if (command.attention && readable.length > 0) await drawAttentions(network, config, readable, predictions);
    }),
  );
}

/** The images with the sizes that their headers tell; nothing else is known of them. */
async function readSamples(
  predictions: Predictions,
  images: readonly string[],
  orientation: Orientation,
): Promise<DetectionSample[]> {
  const samples: DetectionSample[] = [];
  await predictions.each(images, async (file, id) => {
    const size = sizeAs(await readImageHeader(file), orientation);
    samples.push({ id, file, ...size, objects: [], crowds: [] });
  });
  return samples;
}

/** What the backbone attends to in each image, as the network sees it. */
async function drawAttentions(
  { backbone }: Detector,
  config: DetectionConfig,
  samples: readonly DetectionSample[],
  predictions: Predictions,
): Promise<void> {
  const batches = plainBatches(config, samples, { batchSize: 1 });
  const files = new Map(samples.map(({ id, file }) => [id, file]));
  try {
    for await (const {
      tensors,
      samples: [sample],
    } of batches.batches()) {
      // prettier-ignore
      const [, height, width] = tensors.images.shape;
      const pixels = (await tensors.images.data()) as Float32Array;
      tf.dispose({ ...tensors });
      const { id } = sample!;
      await drawAttention(backbone, { pixels, height, width }, predictions.pathOf(files.get(id)!, id));
    }
  } finally {
    await batches.close();
  }
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
