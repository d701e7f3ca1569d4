/** `report.html`: an evaluation that people can look at. */
import { basename, dirname, join } from 'node:path';
import { writeFileAtomically } from '@pyramidal/files';
import type { DecodeOptions } from '@pyramidal/images';
import type { ImageClass } from '@pyramidal/imagenet';
import { classificationReport, readSmallPicture } from '@pyramidal/report';
import { type ClassificationCounts, confusionRows, summarise } from './classification-metrics';
import type { PredictedImage } from './evaluate-classifier';

export interface ReportOptions {
  readonly counts: ClassificationCounts;
  readonly classes: readonly ImageClass[];
  readonly images: readonly PredictedImage[];
  readonly decode: DecodeOptions;
}

/** Writes the page into the folder of the results. */
export async function writeReport(folder: string, { counts, classes, images, decode }: ReportOptions): Promise<void> {
  const page = await classificationReport({
    title: `Evaluation of ${basename(dirname(folder))}`,
    subtitle: `${images.length} images, ${classes.length} classes`,
    ...summarise(counts),
    names: classes.map(({ name }) => name),
    confusion: confusionRows(counts),
    images,
    show: async (i) => {
      const { file } = images[i]!;
      return [{ name: basename(file), image: await readSmallPicture(file, decode) }];
    },
  });
  writeFileAtomically(join(folder, 'report.html'), page);
}
