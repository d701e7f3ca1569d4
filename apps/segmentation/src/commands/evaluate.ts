/** `pyramidal-segment eval`. */
import { basename, dirname, join } from 'node:path';
import { encodeLabels, type SegmentationClass } from '@pyramidal/ade20k';
import { makeFolder, writeFileAtomically, writeJson } from '@pyramidal/files';
import { segmentationReport } from '@pyramidal/report';
import type { SegmentationEvaluator, SegmentationMetrics } from '@pyramidal/segeval';
import { type EvaluateCommand, isFirst, withMeasuredNetwork } from '@pyramidal/task';
import { codingOf, decodingOf, segmentorPredictor } from '../assemble';
import type { SegmentationConfig } from '../config';
import { type MeasuredImages, openValidation } from '../data-folder';
import { evaluateSegmentor, summarise } from '../evaluate-segmentor';
import type { SegmentationDefinition } from '../definition';
import { modelClasses } from '../model-classes';
import { SegmentedImages } from '../segmented-images';

/** Prints mIoU, mAcc, aAcc and the classes one by one; writes `metrics.json`, the predicted label PNGs and `report.html`. */
export function evaluate(definition: SegmentationDefinition, command: EvaluateCommand): Promise<number> {
  const task = {
    ...definition,
    openMeasured: openValidation,
    modelClasses: ({ classes }: MeasuredImages) => modelClasses(classes),
    sourceOf: ({ data }: SegmentationConfig) => data.root,
  };
  return withMeasuredNetwork(task, command, async ({ config, data: { classes, validation: split }, network, team }) => {
    const { out } = command;
    const labels = join(out, 'labels');
    makeFolder(labels);
    const predict = segmentorPredictor(network, config);
    const coding = codingOf(config, classes.length);
    const images = new SegmentedImages(classes, decodingOf(config));
    try {
      const counts = await evaluateSegmentor(predict, config, split, classes.length, {
        team,
        onMap: async (item, data) => {
          images.add(item, data);
          const { name, original } = item;
          const file = join(labels, `${name}.png`);
          makeFolder(dirname(file));
          writeFileAtomically(file, await encodeLabels({ data, ...original }, coding));
        },
      });
      if (team !== undefined) images.join(team);
      if (!isFirst(team)) return 0;
      const metrics = counts.metrics();
      writeJson(join(out, 'metrics.json'), {
        images: split.samples.length,
        ...summarise(metrics),
        perClass: perClass(metrics, classes),
      });
      console.log(table(metrics, classes));
      const title = `Evaluation of ${basename(dirname(out))}`;
      const numbers = { metrics, classes: perClass(metrics, classes), confusion: rowsOf(counts) };
      const page = await segmentationReport({ title, ...numbers, ...(await images.evaluation()) });
      writeFileAtomically(join(out, 'report.html'), page);
      console.log(`results in ${out}`);
    } finally {
      predict.dispose();
    }
    return 0;
  });
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

/** The confusion matrix as one array a true class. */
function rowsOf(counts: SegmentationEvaluator): Float64Array[] {
  const { classes } = counts;
  const confusion = counts.confusion();
  return Array.from({ length: classes }, (_, k) => confusion.subarray(k * classes, (k + 1) * classes));
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
