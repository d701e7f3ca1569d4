import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EvaluateCommand, reportBroken } from '@pyramidal/task';
import { loadConfig } from '@pyramidal/config';
import { confusionMatrixPicture } from '@pyramidal/pictures';
import { type ImageClass, openImageFolder, requireSplit } from '@pyramidal/imagenet';
import { openRuntime } from '@pyramidal/runtime';
import { loadWeightsFile } from '@pyramidal/training';
import { evaluationBatches } from '../assemble';
import { classAccuracies, confusionRows, type ClassificationCounts, summarise } from '../classification-metrics';
import type { ClassificationDefinition } from '../definition';
import { classifierPredictor, evaluateClassifier } from '../evaluate-classifier';

/** Prints top-1 and top-5, writes them with the accuracy of every class and the confusion matrix as a picture. */
export async function evaluate(
  { schema, assemble }: ClassificationDefinition,
  { config: file, set, weights, out }: EvaluateCommand,
): Promise<number> {
  const { config } = loadConfig(schema, file, { set });
  const { root, val, classIndex } = config.data;
  const folder = await openImageFolder(root, { splits: [val], ...(classIndex === undefined ? {} : { classIndex }) });
  const split = requireSplit(folder, val);
  await openRuntime(config.runtime);
  const classifier = assemble(config, folder.classes.length);
  loadWeightsFile(weights, classifier, { ema: config.evaluation.ema });
  mkdirSync(out, { recursive: true });

  const predict = classifierPredictor(classifier, config.runtime);
  const batches = evaluationBatches(config, split, folder.classes.length);
  try {
    const counts = await evaluateClassifier(predict, batches, folder.classes.length);
    await writeResults(out, counts, folder.classes);
    reportBroken(batches);
  } finally {
    await batches.close();
    predict.dispose();
    classifier.dispose();
  }
  return 0;
}

async function writeResults(out: string, counts: ClassificationCounts, classes: readonly ImageClass[]): Promise<void> {
  const { top1, top5 } = summarise(counts);
  const accuracies = classAccuracies(counts);
  const perClass = classes.map(({ folder, name }, label) => ({ folder, name, accuracy: accuracies[label]! }));
  const metrics = { images: counts.images, top1, top5, perClass };
  writeFileSync(join(out, 'metrics.json'), `${JSON.stringify(metrics, null, 2)}\n`);
  const names = classes.map(({ name }) => name);
  writeFileSync(join(out, 'confusion.png'), await confusionMatrixPicture(confusionRows(counts), names));
  console.log(`images ${counts.images}  top-1 ${percent(top1)}  top-5 ${percent(top5)}`);
  console.log(`results in ${out}`);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
