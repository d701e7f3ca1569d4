import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { encodeLabels, type SegmentationClass } from '@pyramidal/ade20k';
import type { EvaluateCommand } from '@pyramidal/task';
import { loadConfig } from '@pyramidal/config';
import { openRuntime } from '@pyramidal/runtime';
import type { SegmentationMetrics } from '@pyramidal/segeval';
import { loadWeightsFile } from '@pyramidal/training';
import { codingOf, segmentorPredictor } from '../assemble';
import type { SegmentationDefinition } from '../definition';
import { openData, splitOf } from '../data-folder';
import { evaluateSegmentor, summarise } from '../evaluate-segmentor';

/** Prints mIoU, mAcc, aAcc and the classes one by one; writes `metrics.json` and the predicted label PNGs. */
export async function evaluate(
  { schema, assemble }: SegmentationDefinition,
  { config: file, set, weights, out }: EvaluateCommand,
): Promise<number> {
  const { config } = loadConfig(schema, file, { set });
  const { val } = config.data;
  const folder = await openData(config, [val]);
  const split = splitOf(folder, val);
  const classes = folder.classes.length;
  await openRuntime(config.runtime);
  const segmentor = assemble(config, classes);
  loadWeightsFile(weights, segmentor, { ema: config.evaluation.ema });
  const labels = join(out, 'labels');
  mkdirSync(labels, { recursive: true });

  const predict = segmentorPredictor(segmentor, config);
  const coding = codingOf(config, classes);
  try {
    const metrics = await evaluateSegmentor(predict, config, split, classes, {
      onMap: async ({ label, original }, data) =>
        writeFileSync(join(labels, basename(label)), await encodeLabels({ data, ...original }, coding)),
    });
    const results = {
      images: split.samples.length,
      ...summarise(metrics),
      perClass: perClass(metrics, folder.classes),
    };
    writeFileSync(join(out, 'metrics.json'), `${JSON.stringify(results, null, 2)}\n`);
    console.log(table(metrics, folder.classes));
    console.log(`results in ${out}`);
  } finally {
    predict.dispose();
    segmentor.dispose();
  }
  return 0;
}

/** A class without pixels has `null` where there is no number. */
function perClass({ perClass: numbers }: SegmentationMetrics, classes: readonly SegmentationClass[]) {
  return numbers.map(({ iou, acc, dice, labelArea }, k) => ({
    name: classes[k]!.name,
    iou,
    acc,
    dice,
    pixels: labelArea,
  }));
}

function table(metrics: SegmentationMetrics, classes: readonly SegmentationClass[]): string {
  const width = Math.max(...classes.map(({ name }) => name.length));
  const occurring = metrics.perClass.flatMap(({ iou, acc, union }, k) =>
    union === 0 ? [] : [`${classes[k]!.name.padEnd(width)}  IoU ${percent(iou)}  Acc ${percent(acc)}`],
  );
  const { aAcc, mIoU, mAcc } = metrics;
  return [...occurring, `aAcc ${percent(aAcc)}  mIoU ${percent(mIoU)}  mAcc ${percent(mAcc)}`].join('\n');
}

function percent(share: number): string {
  return Number.isNaN(share) ? '     -' : (100 * share).toFixed(2).padStart(6);
}
