/** A segmentor's evaluation: IoU by class, what is taken for what, errors at edges, and the images it is worst at. */
import { chart, type Chart } from '../chart';
import { confusionTables } from '../confused-pairs';
import { page, type Section } from '../page';
import { pictureWall, type PicturePair } from '../picture';
import { number, percent, table } from '../table';

/** Numbers of a class; NaN where there is nothing to count. */
interface SegmentedClass {
  readonly name: string;
  readonly iou: number;
  readonly acc: number;
  readonly dice: number;
  /** Labelled ones. */
  readonly pixels: number;
}

/** Wrong pixels of an image. */
export interface SegmentedImage {
  readonly name: string;
  /** Pixels that count, and those of them that are wrong. */
  readonly pixels: number;
  readonly wrong: number;
  /** Of the wrong ones those within a few pixels of an edge between classes. */
  readonly wrongAtEdges: number;
}

export interface SegmentationEvaluation {
  readonly title: string;
  readonly subtitle?: string;
  readonly metrics: { readonly mIoU: number; readonly mAcc: number; readonly aAcc: number };
  readonly classes: readonly SegmentedClass[];
  /** [K][K] pixels: rows true, columns predicted. */
  readonly confusion: readonly ArrayLike<number>[];
  readonly images: readonly SegmentedImage[];
  /** How many pixels from an edge count as at it. */
  readonly edgeWidth: number;
  /** The image, its labels and what was predicted, by position; undefined if it cannot be shown. */
  readonly show?: (image: number) => Promise<PicturePair['pictures'] | undefined>;
}

const MOST_SHOWN = 20;

/** @returns the file's text. */
export async function segmentationReport(evaluation: SegmentationEvaluation): Promise<string> {
  const { title, subtitle, confusion, classes } = evaluation;
  const names = classes.map(({ name }) => name);
  const sections: Section[] = [
    numbers(evaluation),
    classSection(classes),
    {
      title: 'Confusion',
      note: 'In pixels; a cell’s shade is its share of the true class.',
      body: confusionTables(confusion, names, 'pixels'),
    },
    {
      title: 'Images',
      note: 'Those with the largest share of wrong pixels: image, labels, prediction.',
      body: await worstImages(evaluation),
    },
  ];
  return page({ title, ...(subtitle !== undefined && { subtitle }), sections });
}

function numbers({ metrics: { mIoU, mAcc, aAcc }, images, edgeWidth }: SegmentationEvaluation): Section {
  const sum = (of: (image: SegmentedImage) => number): number => images.reduce((total, image) => total + of(image), 0);
  const wrong = sum((image) => image.wrong);
  const rows = [
    ['images', number(images.length)],
    ['mIoU, %', percent(mIoU)],
    ['mAcc, %', percent(mAcc)],
    ['aAcc, %', percent(aAcc)],
    [
      `wrong pixels that lie within ${edgeWidth} pixels of an edge, %`,
      percent(sum((image) => image.wrongAtEdges) / wrong),
    ],
  ];
  return { title: 'Numbers', body: [table({ caption: 'Accuracy', columns: ['metric', 'value'], rows })] };
}

function classSection(classes: readonly SegmentedClass[]): Section {
  const found = classes.filter(({ iou }) => Number.isFinite(iou));
  const bars: Chart = {
    title: 'IoU by class',
    kind: 'bar',
    xLabel: '',
    yLabel: 'IoU',
    yRange: [0, 1],
    series: [{ name: 'IoU', points: [...found].sort((a, b) => b.iou - a.iou).map(({ name, iou }) => [name, iou]) }],
  };
  const rows = classes.map(({ name, iou, acc, dice, pixels }) => [name, number(pixels), percent(iou), percent(acc), percent(dice)]); // prettier-ignore
  const columns = ['class', 'pixels', 'IoU, %', 'recall, %', 'Dice, %'];
  return {
    title: 'Classes',
    note: 'A heading sorts.',
    body: [chart(bars), table({ caption: 'Classes', columns, rows })],
  };
}

async function worstImages({ images, show, edgeWidth }: SegmentationEvaluation) {
  if (show === undefined) return [];
  const shareOf = (i: number): number => images[i]!.wrong / images[i]!.pixels;
  const worst = [...images.keys()]
    .filter((i) => shareOf(i) > 0)
    .sort((a, b) => shareOf(b) - shareOf(a))
    .slice(0, MOST_SHOWN);
  async function* shown(): AsyncGenerator<PicturePair> {
    for (const i of worst) {
      const { name, wrong, wrongAtEdges } = images[i]!;
      const pictures = await show!(i);
      const caption = `${name}: ${(100 * shareOf(i)).toFixed(1)} % wrong, ${((100 * wrongAtEdges) / wrong).toFixed(0)} % of that within ${edgeWidth} pixels of an edge`;
      if (pictures !== undefined) yield { caption, pictures };
    }
  }
  return worst.length === 0 ? [] : [await pictureWall(shown())];
}
