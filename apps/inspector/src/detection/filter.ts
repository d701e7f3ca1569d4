/**
 * Which detections and objects are looked at. The page's address, the server's selection and what is drawn on a picture all read this
 * filter: a new one is a field here, a line in `readFilter`, a line in a predicate, and its control in the page's `filter-form.ts`.
 */
import { readCell, readIndex, readIndices, readNumber, readWord, readWords, requireKnown } from '../query';

/** What may become of a detection (TIDE); `uncounted` are those beyond the hundred of an image and class that COCO counts. */
export const OUTCOMES = [
  ...(['match', 'localization', 'similarClass', 'otherClass', 'duplicate', 'background', 'both'] as const),
  ...(['ignored', 'uncounted'] as const),
] as const;

/** And of an object that no detection has to do with. */
export const KINDS = [...OUTCOMES, 'missed'] as const;
export type Kind = (typeof KINDS)[number];

/** COCO's ranges of areas in pixels, both ends inclusive. */
export const SIZES = {
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, Infinity],
} as const satisfies Record<string, readonly [number, number]>;
type Size = keyof typeof SIZES;
export const SIZE_NAMES = Object.keys(SIZES) as Size[];

export const CROWDS = ['any', 'only', 'none'] as const;

/** As the data set has them; those with most errors first; those that two runs differ most about first. */
export const ORDERS = ['data', 'errors', 'changed'] as const;

/** From this score on a detection counts as said, where nothing else is asked for; that of the confusion matrix. */
export const MIN_SCORE = 0.3;

export interface DetectionFilter {
  /** Whose detections; 0 or 1. */
  readonly run: number;
  /** Of these classes; of all where it is empty, as for `kinds` and `sizes`. */
  readonly classes: ReadonlySet<number>;
  readonly minScore: number;
  readonly maxScore: number;
  /** Overlap with the object that a detection is about. */
  readonly minIou: number;
  readonly maxIou: number;
  readonly kinds: ReadonlySet<Kind>;
  readonly sizes: ReadonlySet<Size>;
  readonly crowd: (typeof CROWDS)[number];
  /** A cell of the confusion matrix, in place of all that stands above but the run. */
  readonly cell: readonly [row: number, column: number] | undefined;
  readonly order: (typeof ORDERS)[number];
}

export const FILTER_KEYS = [
  ...['run', 'class', 'minScore', 'maxScore', 'minIou', 'maxIou', 'kind', 'size', 'crowd', 'cell', 'order'],
];

/** @throws QueryError for what is no filter of a set with so many classes and runs. */
export function readFilter(
  query: URLSearchParams,
  { classes, runs }: { readonly classes: number; readonly runs: number },
): DetectionFilter {
  requireKnown(query, FILTER_KEYS);
  return {
    run: readIndex(query, 'run', Math.max(1, runs)) ?? 0,
    classes: readIndices(query, 'class', classes),
    minScore: readNumber(query, 'minScore', MIN_SCORE),
    maxScore: readNumber(query, 'maxScore', 1),
    minIou: readNumber(query, 'minIou', 0),
    maxIou: readNumber(query, 'maxIou', 1),
    kinds: readWords(query, 'kind', KINDS),
    sizes: readWords(query, 'size', SIZE_NAMES),
    crowd: readWord(query, 'crowd', CROWDS),
    cell: readCell(query, classes + 1),
    order: readWord(query, 'order', ORDERS),
  };
}

export interface FilteredDetection {
  readonly label: number;
  readonly score: number;
  readonly iou: number;
  readonly kind: Kind;
  readonly area: number;
}

export function passesDetection(
  filter: DetectionFilter,
  { label, score, iou, kind, area }: FilteredDetection,
): boolean {
  return (
    filter.crowd !== 'only' &&
    score >= filter.minScore &&
    score <= filter.maxScore &&
    iou >= filter.minIou &&
    iou <= filter.maxIou &&
    isAmong(filter.classes, label) &&
    isAmong(filter.kinds, kind) &&
    hasSize(filter, area)
  );
}

export interface FilteredObject {
  readonly label: number;
  readonly area: number;
  readonly crowd: boolean;
}

/** Whether an object is drawn: detections are seen beside the objects that they are about, whatever of them is asked for. */
export const showsObject = (filter: DetectionFilter, { label, area, crowd }: FilteredObject): boolean =>
  isAmong(filter.classes, label) &&
  hasSize(filter, area) &&
  (filter.crowd === 'any' || crowd === (filter.crowd === 'only'));

/**
 * Whether an image is selected for an object. It has no score, no overlap, and no error but that it was missed: what asks for one of these
 * asks for detections.
 */
export const passesObject = (filter: DetectionFilter, object: FilteredObject & { readonly missed: boolean }): boolean =>
  showsObject(filter, object) &&
  (filter.kinds.size > 0 ? object.missed && filter.kinds.has('missed') : !asksForDetections(filter));

const asksForDetections = ({ minScore, maxScore, minIou, maxIou }: DetectionFilter): boolean =>
  minScore !== MIN_SCORE || maxScore !== 1 || minIou !== 0 || maxIou !== 1;

/** Whether an image without any object or detection passes too. */
export const letsAllThrough = (filter: DetectionFilter): boolean =>
  filter.classes.size + filter.kinds.size + filter.sizes.size === 0 &&
  filter.crowd === 'any' &&
  !asksForDetections(filter);

const isAmong = <T>(wanted: ReadonlySet<T>, value: T): boolean => wanted.size === 0 || wanted.has(value);

function hasSize({ sizes }: DetectionFilter, area: number): boolean {
  if (sizes.size === 0) return true;
  for (const size of sizes) if (area >= SIZES[size][0] && area <= SIZES[size][1]) return true;
  return false;
}
