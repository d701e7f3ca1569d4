/** `report.html`: an evaluation that people can look at. */
import { basename, dirname, join } from 'node:path';
import { writeFileAtomically } from '@pyramidal/files';
import { type DecodeOptions, decodePicture, keepRatioSize, resizeImage } from '@pyramidal/images';
import type { ImageClass } from '@pyramidal/imagenet';
import { classificationReport } from '@pyramidal/report';
import { type ClassificationCounts, confusionRows, summarise } from './classification-metrics';
import type { PredictedImage } from './evaluate-classifier';

/** The longer side of the pictures in the page. */
const SIDE = 240;

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
      const picture = await decodePicture(file, decode);
      const size = keepRatioSize(picture, { shortest: SIDE, longest: SIDE });
      return [{ name: basename(file), image: resizeImage(picture, { ...size, convention: 'opencv-bilinear' }) }];
    },
  });
  writeFileAtomically(join(folder, 'report.html'), page);
}
