/** `pyramidal-segment predict`. */
import { encodeLabels, prepareEvaluation } from '@pyramidal/ade20k';
import { basename } from 'node:path';
import { writeFileAtomically } from '@pyramidal/files';
import { decodeImage, encodeImage } from '@pyramidal/images';
import { drawAttention, findImages, type PredictCommand, withTrainedNetwork, writePredictions } from '@pyramidal/task';
import { codingOf, evaluationTransform, segmentorPredictor } from '../assemble';
import { drawMap, frequentClasses } from '../draw-map';
import { segmentImage } from '../segment-image';
import type { SegmentationDefinition } from '../definition';

/** Classes that are told on the terminal. */
const TOLD = 3;

/** Segments each image; writes its label PNG and the picture under its classes' colours, and `predictions.json`. */
export function predict(definition: SegmentationDefinition, command: PredictCommand): Promise<number> {
  const images = findImages(command.images);
  return withTrainedNetwork(definition, command, async ({ config, data: { classes }, network }) => {
    const forward = segmentorPredictor(network, config);
    const [transform, coding] = [evaluationTransform(config), codingOf(config, classes.length)];
    try {
      return await writePredictions(command.out, (predictions) =>
        predictions.each(images, async (image, index) => {
          const sample = await prepareEvaluation(image, transform);
          const map = await segmentImage(forward, sample, config);
          const path = predictions.pathOf(image, index);
          writeFileAtomically(`${path}.png`, await encodeLabels({ data: map, ...sample.original }, coding));
          const drawn = await drawMap(await decodeImage(image, transform.decode), map, classes);
          writeFileAtomically(`${path}.jpg`, await encodeImage(drawn, 'jpeg'));
          if (command.attention) await drawAttention(network.backbone, sample.scaled[0]!, path);
          const found = frequentClasses(map).map((k) => ({ name: classes[k]!.name, share: shareOf(map, k) }));
          predictions.add(image, {
            record: { label: basename(`${path}.png`), classes: found },
            summary: found.slice(0, TOLD).map(describe).join(', '),
          });
        }),
      );
    } finally {
      forward.dispose();
    }
  });
}

function describe({ name, share }: { readonly name: string; readonly share: number }): string {
  return `${name} ${(100 * share).toFixed(1)} %`;
}

function shareOf(map: Uint8Array, label: number): number {
  return map.reduce((count, value) => count + (value === label ? 1 : 0), 0) / map.length;
}
