/** `pyramidal-detect eval`. */
import { join } from 'node:path';
import type { CocoReport } from '@cocoeval/ts';
import { makeFolder, writeJson } from '@pyramidal/files';
import {
  countProgress,
  type EvaluateCommand,
  isFirst,
  JsonList,
  type Team,
  withMeasuredNetwork,
} from '@pyramidal/task';
import type { DetectionDataset } from '@pyramidal/coco';
import { decodingOf } from '../assemble';
import { type MeasuredSet, openValidation } from '../data';
import type { DetectionDefinition } from '../definition';
import { type DetectionMetrics, evaluateDetector } from '../evaluate-detector';
import { ImageDetector } from '../image-detector';
import { modelClasses } from '../model-classes';
import { writeReport } from '../write-report';

/**
 * Prints COCO's twelve numbers for boxes and for masks, and every category's if the configuration says so; writes them to
 * `metrics.json`, the detections to `bbox.json` and `segm.json`, results files in COCO's format, and all of it, to be looked at in
 * a browser, to `report.html`.
 */
export function evaluate(definition: DetectionDefinition, command: EvaluateCommand): Promise<number> {
  const task = {
    ...definition,
    openMeasured: openValidation,
    modelClasses: ({ classes }: MeasuredSet) => modelClasses(classes),
    sourceOf: () => 'data.val',
  };
  return withMeasuredNetwork(task, command, async ({ config, data: dataset, network, team }) => {
    const { perCategory } = config.evaluation;
    const images = new ImageDetector(network, config, dataset.samples);
    try {
      const options = { team, out: command.out };
      if (!isFirst(team)) {
        await evaluateDetector(images, dataset, options);
        return 0;
      }
      const metrics = await evaluateIntoFiles(images, dataset, options);
      const found = Object.entries(metrics);
      const numbers = found.map(([kind, evaluation]) => [kind, numbersOf(evaluation, perCategory)]);
      writeJson(join(command.out, 'metrics.json'), { images: dataset.samples.length, ...Object.fromEntries(numbers) });
      for (const [kind, evaluation] of found) console.log(describe(kind, evaluation, perCategory));
      await writeReport({ folder: command.out, dataset, metrics, decode: decodingOf(config) });
      console.log(`results in ${command.out}`);
    } finally {
      await images.close();
    }
    return 0;
  });
}

/** Evaluates, and writes the results files, which take their place when all is counted. */
async function evaluateIntoFiles(
  images: ImageDetector,
  dataset: DetectionDataset,
  { out, team }: { readonly out: string; readonly team: Team },
): Promise<DetectionMetrics> {
  makeFolder(out);
  const boxes = new JsonList(join(out, 'bbox.json'));
  let masks: JsonList | undefined;
  const progress = countProgress(dataset.samples.length, 'images');
  try {
    const metrics = await evaluateDetector(images, dataset, {
      team,
      onResults: (results) => {
        progress.add();
        boxes.add(...results.box);
        if (results.mask === undefined) return;
        masks ??= new JsonList(join(out, 'segm.json'));
        masks.add(...results.mask);
      },
    });
    boxes.complete();
    masks?.complete();
    return metrics;
  } finally {
    progress.stop();
    boxes.discard();
    masks?.discard();
  }
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
