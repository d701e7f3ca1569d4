import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CocoReport } from '@cocoeval/ts';
import { countProgress, type EvaluateCommand } from '@pyramidal/task';
import { loadConfig } from '@pyramidal/config';
import { openRuntime } from '@pyramidal/runtime';
import { loadWeightsFile } from '@pyramidal/training';
import type { DetectionDefinition } from '../definition';
import { openValidation } from '../data';
import { evaluateDetector } from '../evaluate-detector';
import { ImageDetector } from '../image-detector';
import { ResultsFile } from '../results-file';

/**
 * Prints COCO's twelve numbers for boxes and for masks, and every category's if the configuration says so; writes them to
 * `metrics.json`, and the detections to `bbox.json` and `segm.json`, results files in COCO's format.
 */
export async function evaluate(
  { schema, assemble }: DetectionDefinition,
  { config: file, set, weights, out }: EvaluateCommand,
): Promise<number> {
  const { config } = loadConfig(schema, file, { set });
  const dataset = await openValidation(config);
  await openRuntime(config.runtime);
  const detector = assemble(config, dataset.classes.length);
  loadWeightsFile(weights, detector, { ema: config.evaluation.ema });
  mkdirSync(out, { recursive: true });

  const images = new ImageDetector(detector, config, dataset.samples);
  const boxes = new ResultsFile(join(out, 'bbox.json'));
  let masks: ResultsFile | undefined;
  const progress = countProgress(dataset.samples.length, 'images');
  try {
    const { box, mask } = await evaluateDetector(images, dataset, {
      onResults: (results) => {
        progress.add();
        boxes.add(results.box);
        if (results.mask === undefined) return;
        masks ??= new ResultsFile(join(out, 'segm.json'));
        masks.add(results.mask);
      },
    });
    progress.stop();
    const found = mask === undefined ? { box } : { box, mask };
    const { perCategory } = config.evaluation;
    for (const [kind, evaluation] of Object.entries(found)) console.log(describe(kind, evaluation, perCategory));
    const numbers = Object.entries(found).map(([kind, evaluation]) => [kind, numbersOf(evaluation, perCategory)]);
    const metrics = { images: dataset.samples.length, ...Object.fromEntries(numbers) };
    writeFileSync(join(out, 'metrics.json'), `${JSON.stringify(metrics, null, 2)}\n`);
    console.log(`results in ${out}`);
  } finally {
    boxes.close();
    masks?.close();
    await images.close();
    detector.dispose();
  }
  return 0;
}

function describe(kind: string, evaluation: CocoReport, perCategory: boolean): string {
  const title = kind === 'box' ? 'boxes' : 'masks';
  const categories = perCategory ? ['', evaluation.perCategoryText()] : [];
  return [`${title}:`, evaluation.text, ...categories, ''].join('\n');
}

/** The table by name; -1, as COCO has it, where there is nothing to find. */
function numbersOf(evaluation: CocoReport, perCategory: boolean): Record<string, unknown> {
  return { ...evaluation.metrics, ...(perCategory && { perCategory: evaluation.perCategory() }) };
}
