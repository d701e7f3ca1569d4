/** What the server and the page tell each other. Images are numbered from 0; boxes are `[x, y, width, height]` in pixels, as COCO has them. */
import type { Kind } from './detection/filter';

export type Task = 'detection' | 'segmentation';

export interface ClassAbout {
  readonly name: string;
  /** Red, green, blue, 0 to 255. */
  readonly colour: readonly [number, number, number];
}

/** So many of `row` were taken for `column`; detectors have one more row and column, for nothing. */
export type ConfusionCell = readonly [row: number, column: number, count: number];

/** What a page is told first. */
export interface About {
  readonly title: string;
  readonly task: Task;
  /** Stands in the addresses of pictures, so that a browser keeps those of this server alone. */
  readonly version: string;
  readonly classes: readonly ClassAbout[];
  /** How many there are. */
  readonly images: number;
  readonly runs: readonly RunAbout[];
  /** What the kinds of errors mean; of detectors. */
  readonly meanings: Readonly<Partial<Record<Kind, string>>>;
}

/** One run's predictions as a whole. */
export interface RunAbout {
  readonly name: string;
  /** As `eval` writes them to `metrics.json`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Cells that are not 0. */
  readonly confusion: readonly ConfusionCell[];
  /** Detections by what became of them, objects that were missed; of detectors. */
  readonly counts?: Readonly<Record<Kind, number>>;
  /** How much AP50 each kind of error costs; of detectors. */
  readonly gains?: Readonly<Partial<Record<Kind, number>>>;
}

/** The images that a filter lets through. */
export interface Selection {
  /** In the order in which they are shown. */
  readonly images: readonly number[];
  /** What passes in them, by name. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface Rle {
  readonly size: readonly [height: number, width: number];
  readonly counts: string;
}

export type Box = readonly [x: number, y: number, width: number, height: number];

/** An annotated object. */
export interface ObjectDetails {
  /** Of the annotation. */
  readonly id: number;
  readonly label: number;
  readonly box: Box;
  readonly area: number;
  readonly crowd: boolean;
  readonly mask?: Rle;
}

export interface DetectionDetails {
  readonly label: number;
  readonly score: number;
  readonly box: Box;
  readonly area: number;
  readonly kind: Kind;
  /** Overlap with the object it is about. */
  readonly iou: number;
  /** Place of that object in the image's list; -1 for none. */
  readonly object: number;
  readonly mask?: Rle;
}

/** What stands in a cell of the confusion matrix: places in the image's lists, -1 for none. */
export type Pair = readonly [row: number, column: number, object: number, detection: number];

interface ImageAbout {
  readonly index: number;
  readonly name: string;
  readonly width: number;
  readonly height: number;
}

/** An image of a detector with all that is known of it. */
export interface DetectionImage extends ImageAbout {
  readonly task: 'detection';
  readonly objects: readonly ObjectDetails[];
  readonly runs: readonly {
    readonly detections: readonly DetectionDetails[];
    /** Places of the objects that were missed. */
    readonly missed: readonly number[];
    readonly pairs: readonly Pair[];
  }[];
}

/** An image of a segmentor; its maps are fetched one by one. */
export interface SegmentationImage extends ImageAbout {
  readonly task: 'segmentation';
  /** Size of the small maps. */
  readonly small: { readonly width: number; readonly height: number };
  readonly runs: readonly {
    /** Of the labelled pixels. */
    readonly wrong: number;
    readonly pixels: number;
    /** Pixels by label and prediction. */
    readonly confusion: readonly ConfusionCell[];
  }[];
}

export type ImageDetails = DetectionImage | SegmentationImage;

/** Precision over recall of one class at an overlap of 0.5; `score` is the one at which the recall is reached. */
export interface Curve {
  readonly recall: readonly number[];
  readonly precision: readonly number[];
  readonly score: readonly number[];
}
