/** `pyramidal-detect predict`. */
import { basename } from 'node:path';
import type { Detector } from '@pyramidal/detector';
import { type ImageTransform, prepareImage, stackImages } from '@pyramidal/coco';
import { UsageError } from '@pyramidal/config';
import { writeFileAtomically } from '@pyramidal/files';
import { decodePicture, encodeImage, type RgbImage } from '@pyramidal/images';
import { contactSheet, drawableClasses, enlargeSmall } from '@pyramidal/pictures';
import { drawAttention, findImages, type PredictCommand, writePredictions } from '@pyramidal/task';
import * as tf from '@tensorflow/tfjs-core';
import { AnnotatedObjects } from '../annotated-objects';
import { decodingOf, plainTransform } from '../assemble';
import type { DetectionDefinition } from '../definition';
import type { DetectedObject } from '../detection-work';
import { type Drawable, drawDetections } from '../draw-detections';
import { openDetectorModel } from '../open-detector';

/** Finds the objects of each image; writes them to `predictions.json`, and the pictures with those of a good score drawn. */
export async function predict(definition: DetectionDefinition, command: PredictCommand): Promise<number> {
  const images = findImages(command.images, { except: command.out, say: console.error });
  const { config, data, network, queue } = await openDetectorModel(
    definition,
    { ...command, reader: 'predict' },
    { say: console.error },
  );
  const decode = decodingOf(config);
  try {
    if (command.polygons && !network.predictsMasks) {
      throw new UsageError('--polygons: expected a detector that finds masks, received one that finds boxes alone');
    }
    const classes = await drawableClasses(data.classes, console.error);
    const truth = command.truth === undefined ? undefined : new AnnotatedObjects(command.truth, images, data.classes);
    const { polygons } = command;
    return await writePredictions(command.out, (predictions) =>
      predictions.each(queue, images, async ({ objects, ...size }, image, path) => {
        const shown = objects.filter(({ score }) => score >= (command.score ?? config.evaluation.drawScore));
        const draw = async (list: readonly Drawable[], legend = false): Promise<RgbImage> =>
          drawDetections(enlargeSmall(await decodePicture(image, decode)), { objects: list, ...size }, classes, {
            polygons,
            legend,
          });
        const drawn =
          truth === undefined
            ? await draw(shown, true)
            : contactSheet([await draw(truth.of(image, size)), await draw(shown)]);
        writeFileAtomically(`${path}.jpg`, await encodeImage(drawn, 'jpeg'));
        const written = command.score === undefined ? objects : shown;
        predictions.add(image, {
          record: {
            picture: basename(`${path}.jpg`),
            detections: written.map(polygons ? outlinedRecordOf : recordOf),
          },
          summary: describe(shown),
        });
        if (command.attention) await drawAttentionIn(network, image, plainTransform(config), path);
      }),
    );
  } finally {
    await queue.close();
  }
}

/** What the backbone attends to in an image, as the network sees it. */
async function drawAttentionIn(
  { backbone }: Detector,
  file: string,
  transform: ImageTransform,
  path: string,
): Promise<void> {
  const tensors = stackImages([await prepareImage(file, transform)]);
  const [, height, width] = tensors.images.shape;
  const pixels = (await tensors.images.data()) as Float32Array;
  tf.dispose({ ...tensors });
  await drawAttention(backbone, { pixels, height, width }, path);
}

function recordOf({ label: _, ...object }: DetectedObject): object {
  return object;
}

/** With the outlines in place of the mask. */
function outlinedRecordOf({ mask, ...object }: DetectedObject): object {
  return { ...recordOf(object), ...(mask && { polygons: mask.toPolygons() }) };
}

/** Such as `3 cat, 1 dog`. */
function describe(objects: readonly DetectedObject[]): string {
  const counts = new Map<string, number>();
  for (const { name } of objects) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${count} ${name}`).join(', ') || 'nothing';
}
