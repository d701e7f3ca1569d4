/** `pyramidal-segment predict`. */
import { encodeLabels, prepareEvaluation } from '@pyramidal/ade20k';
import { basename } from 'node:path';
import { writeFileAtomically } from '@pyramidal/files';
import { decodePicture, encodeImage } from '@pyramidal/images';
import { drawableClasses, enlargeSmall } from '@pyramidal/pictures';
import { drawAttention, findImages, type PredictCommand, writePredictions } from '@pyramidal/task';
import { codingOf, evaluationTransform } from '../assemble';
import { drawMap } from '../draw-map';
import type { SegmentationDefinition } from '../definition';
import { openSegmentorModel } from '../open-segmentor';
import type { Segment } from '../segmentation-work';

/** Classes that are told on the terminal. */
const TOLD = 3;

/** Segments each image; writes its label PNG and the picture under its classes' colours, and `predictions.json`. */
export async function predict(definition: SegmentationDefinition, command: PredictCommand): Promise<number> {
  const images = findImages(command.images, { except: command.out, say: console.error });
  const { config, data, network, queue } = await openSegmentorModel(
    definition,
    { ...command, reader: 'predict' },
    console.error,
  );
  const [transform, coding] = [evaluationTransform(config), codingOf(config, data.classes.length)];
  const classes = await drawableClasses(data.classes, console.error);
  try {
    return await writePredictions(command.out, (predictions) =>
      predictions.each(queue, images, async ({ map, segments, width, height }, image, path) => {
        const picture = enlargeSmall(await decodePicture(image, transform.decode));
        const drawn = await drawMap(picture, { map, width, height }, classes);
        writeFileAtomically(`${path}.jpg`, await encodeImage(drawn, 'jpeg'));
        // The map is as large as the image, and nobody needs it afterwards.
        const label = await encodeLabels({ data: map, width, height }, coding, { overwrite: true });
        writeFileAtomically(`${path}.png`, label);
        if (command.attention) {
          const { scaled } = await prepareEvaluation(image, transform);
          await drawAttention(network.backbone, scaled[0]!, path);
        }
        const found = segments.map(({ name, share }) => ({ name, share }));
        predictions.add(image, {
          record: { label: basename(`${path}.png`), classes: found },
          summary: segments.slice(0, TOLD).map(describe).join(', '),
        });
      }),
    );
  } finally {
    await queue.close();
  }
}

function describe({ name, share }: Segment): string {
  return `${name} ${(100 * share).toFixed(1)} %`;
}
