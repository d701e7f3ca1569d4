/** `pyramidal-classify eval`. */
import { join } from 'node:path';
import { makeFolder, writeFileAtomically, writeJson } from '@pyramidal/files';
import type { ImageClass } from '@pyramidal/imagenet';
import { confusionMatrixPicture, drawableClasses } from '@pyramidal/pictures';
import { type EvaluateCommand, isFirst, reportBroken, withMeasuredNetwork } from '@pyramidal/task';
import { decodingOf } from '../assemble';
import { evaluationBatches } from '../batches';
import { type MeasuredImages, openValidation } from '../data-folder';
import type { ClassificationConfig } from '../config';
import type { ClassificationDefinition } from '../definition';
import {
  classAccuracies,
  confusionRows,
  type ClassificationCounts,
  requireNumbers,
  summarise,
} from '../classification-metrics';
import { classifierPredictor, evaluateClassifier, type PredictedImage } from '../evaluate-classifier';
import { modelClasses } from '../model-classes';
import { writeReport } from '../write-report';

/** Prints top-1 and top-5, writes them with the accuracy of every class, the confusion matrix as a picture, and `report.html`. */
export function evaluate(definition: ClassificationDefinition, command: EvaluateCommand): Promise<number> {
  const task = {
    ...definition,
    openMeasured: openValidation,
    modelClasses: ({ classes }: MeasuredImages) => modelClasses(classes),
    sourceOf: ({ data }: ClassificationConfig) => data.root,
  };
  return withMeasuredNetwork(task, command, async ({ config, data: { classes, validation }, network, team }) => {
    const predict = classifierPredictor(network, config.runtime);
    const batches = evaluationBatches(config, validation, classes.length);
    try {
      const images: PredictedImage[] = [];
      const onImage = (image: PredictedImage): unknown => images.push(image);
      const counts = await evaluateClassifier(predict, batches, classes.length, { team, onImage });
      reportBroken(batches);
      if (!isFirst(team)) return 0;
      requireNumbers(counts.crossEntropy);
      await writeResults(command.out, counts, classes);
      await writeReport(command.out, { counts, classes, images, decode: decodingOf(config) });
      console.log(`results in ${command.out}`);
    } finally {
      await batches.close();
      predict.dispose();
    }
    return 0;
  });
}

async function writeResults(out: string, counts: ClassificationCounts, classes: readonly ImageClass[]): Promise<void> {
  const { top1, top5, loss } = summarise(counts);
  const accuracies = classAccuracies(counts);
  const perClass = classes.map(({ folder, name }, label) => ({ folder, name, accuracy: accuracies[label]! }));
  makeFolder(out);
  writeJson(join(out, 'metrics.json'), { images: counts.images, top1, top5, loss, perClass });
  console.log(`images ${counts.images}  top-1 ${percent(top1)}  top-5 ${percent(top5)}  loss ${loss.toFixed(4)}`);
  const names = (await drawableClasses(classes, console.error)).map(({ name }) => name);
  writeFileAtomically(join(out, 'confusion.png'), await confusionMatrixPicture(confusionRows(counts), names));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
