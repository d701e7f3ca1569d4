/** One run's detections as columns, ordered by image, with what became of each (TIDE). */
import { type COCO, type CocoReport, type CocoResult, errorBreakdown, evaluateDetections } from '@cocoeval/ts';
import type { Size } from '@pyramidal/images';
import { groupByImage } from '../grouped';
import type { Box, DetectionDetails, RunAbout } from '../protocol';
import { ConfusionPairs } from './confusion-pairs';
import { type FilteredDetection, type Kind, KINDS, MIN_SCORE, OUTCOMES } from './filter';
import { type ObjectColumns, type Places, runsOf } from './object-columns';

/** What a run found. */
export interface DetectionRun {
  readonly name: string;
  /** As `readResults` of @cocoeval/ts gives them. */
  readonly results: COCO;
  /** Masks of the same detections, where they stand in a file of their own. */
  readonly masks?: readonly CocoResult[] | undefined;
}

type Breakdown = ReturnType<typeof errorBreakdown>;

export class RunColumns {
  readonly starts: Uint32Array;
  readonly labels: Uint16Array;
  readonly scores: Float64Array;
  readonly areas: Float64Array;
  /** The object that a detection is about, -1 for none. */
  readonly objects: Int32Array;
  readonly ious: Float64Array;
  /** 1 where an object was missed. */
  readonly missed: Uint8Array;
  /** Wrong detections and objects that were not found, of each image, at `MIN_SCORE`. */
  readonly errors: Uint32Array;
  readonly pairs: ConfusionPairs;
  readonly about: RunAbout;
  readonly report: CocoReport;
  /** Places in `OUTCOMES`. */
  private readonly outcomes: Uint8Array;
  private readonly boxes: Float64Array;
  /** The segmentation of each, as its file has it. */
  private readonly masks: CocoResult['segmentation'][] = [];

  /**
   * Matches detections and objects once, as evaluation does.
   * @throws CocoFormatError for what evaluation would refuse.
   */
  constructor(coco: COCO, objects: ObjectColumns, places: Places, { name, results, masks }: DetectionRun) {
    const records = results.annotations;
    const { starts, rowOf } = groupByImage(places.images.size, records.length, (i) =>
      places.labels.has(records[i]!.category_id) ? places.images.get(records[i]!.image_id) : undefined,
    );
    const count = starts.at(-1)!;
    this.starts = starts;
    this.labels = new Uint16Array(count);
    this.scores = new Float64Array(count);
    this.areas = new Float64Array(count);
    this.boxes = new Float64Array(4 * count);
    this.outcomes = new Uint8Array(count).fill(OUTCOMES.indexOf('uncounted'));
    this.objects = new Int32Array(count).fill(-1);
    this.ious = new Float64Array(count);
    this.missed = new Uint8Array(objects.length);
    this.errors = new Uint32Array(places.images.size);
    records.forEach(({ category_id, area, bbox }, i) => {
      const row = rowOf(i);
      if (row === undefined) return;
      const result = results.results![i]!;
      this.labels[row] = places.labels.get(category_id)!;
      this.scores[row] = result.score;
      this.areas[row] = area!;
      this.boxes.set(bbox!, 4 * row);
      const segmentation = masks?.[i]?.segmentation ?? result.segmentation;
      if (segmentation !== undefined) this.masks[row] = segmentation;
    });
    const imageIds = [...places.images.keys()];
    const breakdown = errorBreakdown(coco, results, { imageIds });
    this.takeOutcomes(breakdown, places, objects, rowOf);
    this.pairs = new ConfusionPairs(coco, results, places, {
      objectOf: (id) => objects.rowOf(id),
      detectionOf: rowOf,
    });
    this.report = evaluateDetections(coco, results, { imageIds });
    this.about = {
      name,
      metrics: this.report.metrics,
      confusion: this.pairs.cells,
      counts: this.countKinds(breakdown),
      gains: breakdown.gains,
    };
  }

  kindOf(row: number): Kind {
    return OUTCOMES[this.outcomes[row]!]!;
  }

  /** What a filter looks at. */
  filtered(row: number): FilteredDetection {
    const [label, score, iou, area] = [this.labels[row]!, this.scores[row]!, this.ious[row]!, this.areas[row]!];
    return { label, score, iou, kind: this.kindOf(row), area };
  }

  /** @param first the row of the image's first object. @param size of the image, where masks are asked for. */
  details(row: number, first: number, size: Size | undefined): DetectionDetails {
    const segmentation = this.masks[row];
    const object = this.objects[row]!;
    return {
      ...this.filtered(row),
      box: this.box(row),
      object: object < 0 ? -1 : object - first,
      ...(size !== undefined && segmentation !== undefined && { mask: runsOf(segmentation, size) }),
    };
  }

  /** As a record of a results file. */
  result(row: number, ids: { readonly image_id: number; readonly category_id: number }): CocoResult {
    const segmentation = this.masks[row];
    return {
      ...ids,
      score: this.scores[row]!,
      bbox: this.box(row),
      ...(segmentation !== undefined && { segmentation }),
    };
  }

  private box(row: number): Box {
    const [x, y, width, height] = this.boxes.subarray(4 * row, 4 * row + 4);
    return [x!, y!, width!, height!];
  }

  private takeOutcomes(
    { images }: Breakdown,
    places: Places,
    objects: ObjectColumns,
    rowOf: (record: number) => number | undefined,
  ): void {
    for (const { imageId, detections, missed, objects: all } of images) {
      let [found, wrong] = [0, 0];
      for (const { detection, outcome, annotationId, iou, score } of detections) {
        const row = rowOf(detection)!;
        this.outcomes[row] = OUTCOMES.indexOf(outcome);
        this.objects[row] = annotationId === undefined ? -1 : objects.rowOf(annotationId)!;
        this.ious[row] = iou;
        if (score < MIN_SCORE || outcome === 'ignored') continue;
        if (outcome === 'match') found++;
        else wrong++;
      }
      for (const id of missed) this.missed[objects.rowOf(id)!] = 1;
      this.errors[places.images.get(imageId)!] = wrong + all.length - found;
    }
  }

  private countKinds({ counts }: Breakdown): Record<Kind, number> {
    const all = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<Kind, number>;
    for (let row = 0; row < this.scores.length; row++) all[this.kindOf(row)]++;
    return { ...all, missed: counts.missed };
  }
}
