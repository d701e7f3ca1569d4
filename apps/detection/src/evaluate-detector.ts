/** A detector's results on a dataset, compared with its annotations as COCO does. */
import { COCO, type CocoAnnotation, type CocoResult, type CocoReport, Evaluator } from '@cocoeval/ts';
import type { DetectionDataset } from '@pyramidal/coco';
import { gathered, type Numbered, turnOf } from '@pyramidal/distributed';
import type { Team } from '@pyramidal/task';
import { cocoBox } from './coco-results';
import type { DetectedImage, ImageDetector } from './image-detector';

/** What COCO's evaluation finds for boxes and, of detectors that find them, for masks. */
export interface DetectionMetrics {
  readonly box: CocoReport;
  readonly mask?: CocoReport;
}

/** An image's detections as records of COCO's results files. */
export interface ImageResults {
  readonly id: number;
  readonly box: readonly CocoResult[];
  readonly mask?: readonly CocoResult[];
}

export interface EvaluateOptions {
  readonly signal?: AbortSignal;
  /** The processes that evaluate together. */
  readonly team?: Team;
  /** Told of every image as it is counted. */
  readonly onResults?: (results: ImageResults) => void;
}

/** Finds the objects of every image of a dataset, which the detector was opened on, and compares them with its annotations. */
export async function evaluateDetector(
  detector: ImageDetector,
  { coco, classes, samples }: DetectionDataset,
  { signal, team, onResults }: EvaluateOptions = {},
): Promise<DetectionMetrics> {
  const imageIds = samples.map(({ id }) => id);
  const box = new Evaluator(coco, { iouType: 'bbox', imageIds });
  let mask: Evaluator | undefined;
  const categoryIds = classes.map(({ categoryId }) => categoryId);
  async function* found(): AsyncGenerator<Numbered<ImageResults[]>> {
    const range = { ...(signal && { signal }), share: team && turnOf(team) };
    for await (const { number, value } of detector.detect(range)) {
      yield { number, value: value.map((image) => resultsOf(image, categoryIds)) };
    }
  }
  for await (const images of gathered(team, found())) {
    for (const results of images) {
      box.add(results.id, results.box);
      if (results.mask !== undefined) {
        mask ??= new Evaluator(withMasks(coco), { iouType: 'segm', imageIds });
        mask.add(results.id, results.mask);
      }
      onResults?.(results);
    }
  }
  return mask === undefined ? { box: box.result() } : { box: box.result(), mask: mask.result() };
}

/** The numbers that training watches. */
export function summarise({ box, mask }: DetectionMetrics): Record<string, number> {
  const named = (kind: string, { metrics }: CocoReport): [string, number][] =>
    ['AP', 'AP50', 'AP75'].map((name) => [`${kind}${name}`, metrics[name]!]);
  return Object.fromEntries([...named('box', box), ...(mask === undefined ? [] : named('mask', mask))]);
}

/** For masks, an object that is labelled by its box alone is a region to ignore: masks found there are not wrong. */
function withMasks(coco: COCO): COCO {
  const hasMask = ({ segmentation }: CocoAnnotation): boolean =>
    Array.isArray(segmentation) ? segmentation.length > 0 : Boolean(segmentation);
  if (coco.annotations.every(hasMask)) return coco;
  const annotations = coco.annotations.map((annotation) =>
    hasMask(annotation) ? annotation : { ...annotation, iscrowd: 1, segmentation: [outline(annotation.bbox)] },
  );
  return new COCO({ ...coco.dataset, annotations });
}

function outline(bbox: CocoAnnotation['bbox']): number[] {
  const [x = 0, y = 0, width = 0, height = 0] = bbox ?? [];
  return [x, y, x + width, y, x + width, y + height, x, y + height];
}

function resultsOf({ sample, detections, hasMasks }: DetectedImage, categoryIds: readonly number[]): ImageResults {
  const recordOf = ({ label, score }: DetectedImage['detections'][number]) => ({
    image_id: sample.id,
    category_id: categoryIds[label]!,
    score,
  });
  const box = detections.map((detection) => ({ ...recordOf(detection), bbox: cocoBox(detection.box) }));
  const { id } = sample;
  if (!hasMasks) return { id, box };
  return { id, box, mask: detections.map((detection) => ({ ...recordOf(detection), segmentation: detection.mask! })) };
}
