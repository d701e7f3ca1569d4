/** A classifier's evaluation: accuracies, what is taken for what, and the images it is most wrong about. */
import { calibrationChart, calibrationOf } from '../calibration';
import { chart, charts } from '../chart';
import { confusionTables } from '../confused-pairs';
import { page, type Section } from '../page';
import { pictureWall, type PicturePair } from '../picture';
import { number, percent, table } from '../table';

/** What was predicted for an image. */
export interface ImagePrediction {
  readonly label: number;
  readonly predicted: number;
  /** Of the predicted class, 0 to 1. */
  readonly score: number;
  /** Cross entropy of the true class. */
  readonly loss: number;
}

export interface ClassificationEvaluation {
  readonly title: string;
  readonly subtitle?: string;
  readonly top1: number;
  readonly top5: number;
  readonly loss: number;
  readonly names: readonly string[];
  /** [K][K]: rows true, columns predicted. */
  readonly confusion: readonly ArrayLike<number>[];
  readonly images: readonly ImagePrediction[];
  /** An image by its position; undefined if it cannot be shown. */
  readonly show?: (image: number) => Promise<PicturePair['pictures'] | undefined>;
}

const MOST_SHOWN = 40;

/** @returns the file's text. */
export async function classificationReport(evaluation: ClassificationEvaluation): Promise<string> {
  const { title, subtitle, confusion, names } = evaluation;
  const sections: Section[] = [
    numbers(evaluation),
    {
      title: 'Confusion',
      note: 'A cell’s shade is its share of the true class.',
      body: confusionTables(confusion, names, 'images'),
    },
    classes(evaluation),
    scores(evaluation),
    { title: 'Top losses', note: 'The images whose class was least expected.', body: await topLosses(evaluation) },
  ];
  return page({ title, ...(subtitle !== undefined && { subtitle }), sections });
}

function numbers({ top1, top5, loss, images }: ClassificationEvaluation): Section {
  const rows = [
    ['images', number(images.length)],
    ['top-1, %', percent(top1)],
    ['top-5, %', percent(top5)],
    ['cross entropy', number(loss, loss.toFixed(4))],
  ];
  return { title: 'Numbers', body: [table({ caption: 'Accuracy', columns: ['metric', 'value'], rows })] };
}

function classes({ names, confusion }: ClassificationEvaluation): Section {
  const columns = names.map((_, k) => confusion.reduce((sum, row) => sum + row[k]!, 0));
  const rows = names.map((name, k) => {
    const [total, right] = [Array.from(confusion[k]!).reduce((sum, count) => sum + count, 0), confusion[k]![k]!];
    return [name, number(total), percent(right / total), percent(right / columns[k]!)];
  });
  const table_ = table({ caption: 'Classes', columns: ['class', 'images', 'recall, %', 'precision, %'], rows });
  return { title: 'Classes', note: 'A heading sorts.', body: [table_] };
}

function scores({ images }: ClassificationEvaluation): Section {
  const predictions = images.map(({ score, label, predicted }) => ({ score, isRight: label === predicted }));
  return { title: 'Scores', note: 'A score of 0.8 should be right four times out of five.', body: [charts([chart(calibrationChart(calibrationOf(predictions)))])] }; // prettier-ignore
}

async function topLosses({ images, names, show }: ClassificationEvaluation) {
  if (show === undefined) return [];
  const wrong = [...images.keys()].filter((i) => images[i]!.predicted !== images[i]!.label);
  const worst = wrong.sort((a, b) => images[b]!.loss - images[a]!.loss).slice(0, MOST_SHOWN);
  async function* shown(): AsyncGenerator<PicturePair> {
    for (const i of worst) {
      const { label, predicted, score, loss } = images[i]!;
      const pictures = await show!(i);
      const caption = `${names[label]!}, taken for ${names[predicted]!} (${score.toFixed(2)}); loss ${loss.toFixed(2)}`;
      if (pictures !== undefined) yield { caption, pictures };
    }
  }
  return worst.length === 0 ? [] : [await pictureWall(shown())];
}
