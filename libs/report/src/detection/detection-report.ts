/** A detector's evaluation: COCO's numbers, where AP is lost (TIDE), what is taken for what, and the images to look at. */
import { confusionMatrix, errorBreakdown, type COCO, type CocoReport, type CocoResult } from '@cocoeval/ts';
import { calibrationChart, calibrationOf } from '../calibration';
import { chart, choosableChart, charts, type Chart } from '../chart';
import { confusionTable } from '../confusion-table';
import { countSeries } from '../histogram';
import type { Html } from '../html';
import { page, type Section } from '../page';
import { pictureWall, type PicturePair } from '../picture';
import { number, percent, table } from '../table';
import { ERROR_MEANINGS, type ErrorBreakdown, type ErrorKind } from './breakdown';
import { type TellingImage, tellingImages } from './telling-images';

export interface DetectionEvaluation {
  readonly title: string;
  readonly subtitle?: string;
  /** The annotations, and which of their images were evaluated. */
  readonly coco: COCO;
  readonly imageIds: readonly number[];
  /** Numbers by kind, such as `boxes` and `masks`. */
  readonly reports: Readonly<Record<string, CocoReport>>;
  /** The boxes that were found, as a list or as the text of a results file. */
  readonly results: readonly CocoResult[] | string;
  /** Opens the images that tell most, so that they can be drawn one by one. */
  readonly openPictures?: (imageIds: readonly number[], minScore: number) => Promise<DrawImage>;
}

/** The truth of an image and what was found in it, to be looked at side by side. */
export type DrawImage = (imageId: number) => Promise<PicturePair['pictures']>;

/** From this score on a detection counts as said, where one threshold has to be chosen. */
const MIN_SCORE = 0.3;

/** @returns the file's text. */
export async function detectionReport(evaluation: DetectionEvaluation): Promise<string> {
  const { title, subtitle, coco, imageIds, results, reports } = evaluation;
  const errors = errorBreakdown(coco, results, { imageIds });
  const sections: Section[] = [
    numbers(reports),
    curves(reports),
    categories(reports, coco, imageIds),
    errorSection(errors),
    confusion(evaluation),
    scores(errors),
    await pictures(evaluation, errors),
  ];
  return page({ title, ...(subtitle !== undefined && { subtitle }), sections });
}

function numbers(reports: DetectionEvaluation['reports']): Section {
  const kinds = Object.entries(reports);
  const names = Object.keys(kinds[0]?.[1].metrics ?? {});
  const rows = names.map((name) => [
    name,
    ...kinds.map(([, { metrics }]) => number(metrics[name]!, metrics[name]!.toFixed(3))),
  ]);
  const body = [table({ caption: "COCO's numbers", columns: ['metric', ...kinds.map(([kind]) => kind)], rows })];
  return {
    title: 'Numbers',
    note: 'Average precision and recall, 0 to 1; a dash where there is nothing to find.',
    body,
  };
}

/** Overlaps whose curves are drawn. */
const CURVE_IOUS = [0.5, 0.75, 0.9];

function curves(reports: DetectionEvaluation['reports']): Section {
  const body = Object.entries(reports).map(([kind, report]) => {
    const drawn = (name: string, categoryId?: number): Chart => ({
      title: `Precision over recall: ${kind}, ${name}`,
      kind: 'line',
      xLabel: 'recall',
      yLabel: 'precision',
      yRange: [0, 1],
      series: CURVE_IOUS.flatMap(
        (wanted) => report.params.iouThrs.find((iou) => Math.abs(iou - wanted) < 1e-9) ?? [],
      ).map((iou) => {
        const { recall, precision } = report.curve({ iou, ...(categoryId !== undefined && { categoryId }) });
        return { name: `IoU ${iou.toFixed(2)}`, points: recall.map((r, i) => [r, precision[i]!] as const) };
      }),
    });
    const all = ['all classes', drawn('all classes')] as const;
    return choosableChart('class', [
      all,
      ...report
        .perCategory()
        .filter(({ AP }) => AP >= 0)
        .map(({ id, name }) => [name, drawn(name, id)] as const),
    ]);
  });
  return {
    title: 'Precision and recall',
    note: 'Each point is the best precision at that recall or beyond.',
    body: [charts(body)],
  };
}

function categories(reports: DetectionEvaluation['reports'], coco: COCO, imageIds: readonly number[]): Section {
  const shown = new Set(imageIds);
  const objects = new Map<number, number>();
  for (const { category_id, image_id } of coco.annotations) {
    if (shown.has(image_id)) objects.set(category_id, (objects.get(category_id) ?? 0) + 1);
  }
  const body = Object.entries(reports).map(([kind, report]) =>
    table({
      caption: `Classes: ${kind}`,
      columns: ['class', 'objects', 'AP', 'AP50', 'AP75', 'AP small', 'AP medium', 'AP large', 'AR'],
      rows: report
        .perCategory()
        .map(({ id, name, AP, AP50, AP75, APsmall, APmedium, APlarge, AR }) => [
          name,
          number(objects.get(id) ?? 0),
          ...[AP, AP50, AP75, APsmall, APmedium, APlarge, AR].map(percent),
        ]),
    }),
  );
  return { title: 'Classes', note: 'In percent; a heading sorts.', body };
}

function errorSection({ AP, counts, gains }: ErrorBreakdown): Section {
  const kinds = Object.keys(ERROR_MEANINGS) as ErrorKind[];
  const rows = kinds.map((kind) => [kind, ERROR_MEANINGS[kind], number(counts[kind]), number(Math.max(0, gains[kind]), gains[kind].toFixed(3))]); // prettier-ignore
  const cost: Chart = {
    title: 'AP50 that each kind of error costs',
    kind: 'bar',
    xLabel: '',
    yLabel: 'AP50 that would be won',
    isHorizontal: true,
    series: [{ name: 'gain', points: kinds.map((kind) => [kind, gains[kind]]) }],
  };
  const columns = ['error', 'meaning', 'how many', 'cost in AP50'];
  return {
    title: 'Errors',
    note: `Boxes at an overlap of 0.5, where AP is ${AP.toFixed(3)}: how much it would rise if all errors of one kind were put right (TIDE).`,
    body: [charts([chart(cost)]), table({ caption: 'Errors by kind', columns, rows })],
  };
}

function confusion({ coco, results, imageIds }: DetectionEvaluation): Section {
  const { categoryIds, counts } = confusionMatrix(coco, results, { imageIds, minScore: MIN_SCORE });
  const names = new Map(coco.categories.map(({ id, name }) => [id, name ?? String(id)]));
  const classes = categoryIds.map((id) => names.get(id)!);
  const body: Html[] = [
    confusionTable({
      caption: 'What was taken for what',
      counts,
      rowNames: [...classes, 'nothing'],
      columnNames: [...classes, 'not found'],
    }),
  ];
  return {
    title: 'Confusion',
    note: `Detections with a score of at least ${MIN_SCORE} and an overlap of at least 0.5.`,
    body,
  };
}

function scores({ images }: ErrorBreakdown): Section {
  const detections = images.flatMap((image) => image.detections).filter(({ outcome }) => outcome !== 'ignored');
  const calibration = calibrationOf(detections.map(({ score, outcome }) => ({ score, isRight: outcome === 'match' })));
  const found = images.map((image) => image.detections.filter(({ score }) => score >= MIN_SCORE).length);
  const perImage: Chart = {
    title: 'Objects in an image',
    kind: 'bar',
    xLabel: 'objects',
    yLabel: 'images',
    series: [
      countSeries(
        'annotated',
        images.map(({ objects }) => objects.length),
      ),
      countSeries(`found, score >= ${MIN_SCORE}`, found),
    ],
  };
  return {
    title: 'Scores and counts',
    note: 'A score of 0.8 should be right four times out of five; right means the class and an overlap of at least 0.5.',
    body: [charts([chart(calibrationChart(calibration)), chart(perImage)])],
  };
}

async function pictures({ openPictures, coco }: DetectionEvaluation, { images }: ErrorBreakdown): Promise<Section> {
  const chosen = openPictures === undefined ? [] : tellingImages(images, MIN_SCORE);
  const names = new Map(coco.images.map(({ id, file_name }) => [id, file_name ?? String(id)]));
  async function* drawn(ids: readonly number[]): AsyncGenerator<PicturePair> {
    const draw = await openPictures!(ids, MIN_SCORE);
    for (const image of chosen) {
      yield { caption: captionOf(image, names.get(image.imageId)!), pictures: await draw(image.imageId) };
    }
  }
  const body = chosen.length === 0 ? [] : [await pictureWall(drawn(chosen.map(({ imageId }) => imageId)))];
  const note = `Annotated on the left, found with a score of at least ${MIN_SCORE} on the right.`;
  return { title: 'Images', note, body };
}

function captionOf({ reason, counts }: TellingImage, name: string): string {
  const { objects, found, missed, confused, wrong } = counts;
  return `${reason}: ${name}. ${objects} objects, ${found} found, ${missed} missed, ${wrong} wrong detections (${confused} of another class)`;
}
