/** `pyramidal-classify predict`. */
import { writeFileAtomically } from '@pyramidal/files';
import { prepareImage } from '@pyramidal/imagenet';
import { type DecodeOptions, decodePicture, encodeImage } from '@pyramidal/images';
import { drawableClasses, drawAnnotations, enlargeSmall, PALETTE } from '@pyramidal/pictures';
import { drawAttention, findImages, type PredictCommand, writePredictions } from '@pyramidal/task';
import { evaluationTransform } from '../assemble';
import type { Ranked } from '../classification-work';
import type { ClassificationDefinition } from '../definition';
import { openClassifierModel } from '../open-classifier';

/** Classes that are written on a picture. */
const LABELS = 3;

/** Predicts the class of each image; writes `predictions.json` and the pictures with their labels, and attention if asked. */
export async function predict(definition: ClassificationDefinition, command: PredictCommand): Promise<number> {
  const images = findImages(command.images, { except: command.out, say: console.error });
  const { config, data, network, queue } = await openClassifierModel(
    definition,
    { ...command, reader: 'predict' },
    { say: console.error },
  );
  const transform = evaluationTransform(config);
  const { size } = transform;
  const drawable = await drawableClasses(data.classes, console.error);
  try {
    return await writePredictions(command.out, (predictions) =>
      predictions.each(queue, images, async ({ classes }, image, path) => {
        writeFileAtomically(
          `${path}.jpg`,
          await drawPrediction(
            image,
            classes.map((ranked) => ({ ...ranked, name: drawable[ranked.label]!.name })),
            transform.decode,
          ),
        );
        if (command.attention) {
          const pixels = await prepareImage(image, transform, [0]);
          await drawAttention(network.backbone, { pixels, height: size, width: size }, path);
        }
        predictions.add(image, { record: { classes }, summary: describe(classes[0]!) });
      }),
    );
  } finally {
    await queue.close();
  }
}

/** The picture with its likeliest classes in the corner. */
async function drawPrediction(
  image: string,
  classes: readonly Ranked[],
  decode: DecodeOptions | undefined,
): Promise<Buffer> {
  const label = classes.slice(0, LABELS).map(describe).join('\n');
  const drawn = await drawAnnotations(enlargeSmall(await decodePicture(image, decode)), [
    { label, colour: PALETTE[0]! },
  ]);
  return encodeImage(drawn, 'jpeg');
}

function describe({ name, probability }: Ranked): string {
  return `${name} ${(100 * probability).toFixed(1)} %`;
}
