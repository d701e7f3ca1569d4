/** The official tables of COCO and LVIS (pycocotools' summarize; lvis-api's). */
import type { Accumulated } from '../evaluate/accumulate';
import { CocoFormatError } from '../format/errors';
import { meanByKernels } from '../evaluate/kernel-means';
import { meanAboveMinusOne } from '../evaluate/numpy';
import type { Params } from '../evaluate/params';
import type { CocoCategory } from '../format/types';

/** One line of the official table. */
interface Line {
  readonly name: string;
  readonly measure: 'precision' | 'recall';
  readonly iou?: number;
  readonly area: string;
  readonly frequency?: 'r' | 'c' | 'f';
  /** A limit of detections, or which of `params.maxDets`. */
  readonly maxDets: number | { readonly index: number };
}

const LARGEST = { index: 2 };

const BOX_LINES: readonly Line[] = [
  { name: 'AP', measure: 'precision', area: 'all', maxDets: 100 },
  { name: 'AP50', measure: 'precision', iou: 0.5, area: 'all', maxDets: LARGEST },
  { name: 'AP75', measure: 'precision', iou: 0.75, area: 'all', maxDets: LARGEST },
  { name: 'APsmall', measure: 'precision', area: 'small', maxDets: LARGEST },
  { name: 'APmedium', measure: 'precision', area: 'medium', maxDets: LARGEST },
  { name: 'APlarge', measure: 'precision', area: 'large', maxDets: LARGEST },
  { name: 'AR1', measure: 'recall', area: 'all', maxDets: { index: 0 } },
  { name: 'AR10', measure: 'recall', area: 'all', maxDets: { index: 1 } },
  { name: 'AR100', measure: 'recall', area: 'all', maxDets: LARGEST },
  { name: 'ARsmall', measure: 'recall', area: 'small', maxDets: LARGEST },
  { name: 'ARmedium', measure: 'recall', area: 'medium', maxDets: LARGEST },
  { name: 'ARlarge', measure: 'recall', area: 'large', maxDets: LARGEST },
];

const KEYPOINT_LINES: readonly Line[] = [
  { name: 'AP', measure: 'precision', area: 'all', maxDets: 20 },
  { name: 'AP50', measure: 'precision', iou: 0.5, area: 'all', maxDets: 20 },
  { name: 'AP75', measure: 'precision', iou: 0.75, area: 'all', maxDets: 20 },
  { name: 'APmedium', measure: 'precision', area: 'medium', maxDets: 20 },
  { name: 'APlarge', measure: 'precision', area: 'large', maxDets: 20 },
  { name: 'AR', measure: 'recall', area: 'all', maxDets: 20 },
  { name: 'AR50', measure: 'recall', iou: 0.5, area: 'all', maxDets: 20 },
  { name: 'AR75', measure: 'recall', iou: 0.75, area: 'all', maxDets: 20 },
  { name: 'ARmedium', measure: 'recall', area: 'medium', maxDets: 20 },
  { name: 'ARlarge', measure: 'recall', area: 'large', maxDets: 20 },
];

const ONLY = { index: 0 };

const LVIS_LINES: readonly Line[] = [
  { name: 'AP', measure: 'precision', area: 'all', maxDets: ONLY },
  { name: 'AP50', measure: 'precision', iou: 0.5, area: 'all', maxDets: ONLY },
  { name: 'AP75', measure: 'precision', iou: 0.75, area: 'all', maxDets: ONLY },
  { name: 'APsmall', measure: 'precision', area: 'small', maxDets: ONLY },
  { name: 'APmedium', measure: 'precision', area: 'medium', maxDets: ONLY },
  { name: 'APlarge', measure: 'precision', area: 'large', maxDets: ONLY },
  { name: 'APrare', measure: 'precision', area: 'all', frequency: 'r', maxDets: ONLY },
  { name: 'APcommon', measure: 'precision', area: 'all', frequency: 'c', maxDets: ONLY },
  { name: 'APfrequent', measure: 'precision', area: 'all', frequency: 'f', maxDets: ONLY },
  { name: 'AR', measure: 'recall', area: 'all', maxDets: ONLY },
  { name: 'ARsmall', measure: 'recall', area: 'small', maxDets: ONLY },
  { name: 'ARmedium', measure: 'recall', area: 'medium', maxDets: ONLY },
  { name: 'ARlarge', measure: 'recall', area: 'large', maxDets: ONLY },
];

export interface Summary {
  /** 12 numbers for boxes and masks, 10 for keypoints, 13 by LVIS' rules; -1 where there is nothing to average. */
  readonly stats: Float64Array;
  /** The same by name: AP, AP50, ... */
  readonly metrics: Readonly<Record<string, number>>;
  /** The official table. */
  readonly text: string;
}

/**
 * The numbers by which COCO ranks detectors, or LVIS if `params.federated`.
 * @param categories of `params.catIds`, for their frequencies.
 * @throws CocoFormatError if `params` lack a limit or an area range that the table needs.
 */
export function summarize(
  accumulated: Accumulated,
  params: Params,
  categories: readonly (CocoCategory | undefined)[] = [],
): Summary {
  const keypoints = params.iouType === 'keypoints';
  if (!keypoints && !params.federated && params.maxDets.length < 3) {
    throw new CocoFormatError(`summarize: maxDets: expected three limits, received [${params.maxDets}]`);
  }
  const lines = params.federated ? LVIS_LINES : keypoints ? KEYPOINT_LINES : BOX_LINES;
  const values = lines.map((line) => average(line, accumulated, params, categories));
  return {
    stats: Float64Array.from(values),
    metrics: Object.fromEntries(
      lines.map(({ name, maxDets }, i) => [nameOf(name, maxDets, params), values[i] as number]),
    ),
    text: lines.map((line, i) => format(line, values[i] as number, params)).join('\n'),
  };
}

/** Which values to average; of thresholds and categories all, unless some are named. */
interface Selection {
  readonly thresholds?: readonly number[];
  readonly category?: number;
  readonly area: number;
  readonly limit: number;
}

/** Mean precision over thresholds and recalls, or mean recall over thresholds, of one category or of all. */
export function averageOf(
  measure: 'precision' | 'recall',
  accumulated: Accumulated,
  { thresholds, category, area, limit }: Selection,
): number {
  const [T, , K] = accumulated.counts;
  const categories = category === undefined ? range(K) : [category];
  const cells = { thresholds: thresholds ?? range(T), categories, areas: [area], limits: [limit] };
  return meanOf(measure, accumulated, cells);
}

function average(
  line: Line,
  accumulated: Accumulated,
  params: Params,
  frequencies: readonly (CocoCategory | undefined)[],
): number {
  const limit = limitOf(line.maxDets, params);
  const areas = positions(params.areaRngLbl, line.area);
  const [, , K, A] = accumulated.counts;
  if (areas.some((area) => area >= A)) {
    throw new CocoFormatError(
      `summarize: areaRngLbl: expected a name for each of ${A} area ranges, received [${params.areaRngLbl}]`,
    );
  }
  const thresholds = line.iou === undefined ? params.iouThrs.map((_, t) => t) : positions(params.iouThrs, line.iou);
  const { frequency } = line;
  const categories = range(K).filter((k) => frequency === undefined || frequencies[k]?.frequency === frequency);
  const limits = positions(params.maxDets, limit);
  return meanOf(line.measure, accumulated, { thresholds, categories, areas, limits });
}

/** Indices along the axes of precision and recall. */
interface Cells {
  readonly thresholds: readonly number[];
  readonly categories: readonly number[];
  readonly areas: readonly number[];
  readonly limits: readonly number[];
}

/** The mean in the order in which numpy would list the values. */
function meanOf(
  measure: 'precision' | 'recall',
  accumulated: Accumulated,
  { thresholds, categories, areas, limits }: Cells,
): number {
  const [, recalls, K, A, M] = accumulated.counts;
  const R = measure === 'precision' ? recalls : 1;
  const starts = new Uint32Array(thresholds.length * R);
  for (let i = 0; i < starts.length; i++) {
    const t = thresholds[Math.floor(i / R)] as number;
    starts[i] = (t * R + (i % R)) * K * A * M;
  }
  const cells = categories.flatMap((k) => areas.flatMap((a) => limits.map((m) => (k * A + a) * M + m)));
  const where = [accumulated[measure], starts, Uint32Array.from(cells)] as const;
  return meanByKernels(...where) ?? meanAboveMinusOne(...where);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

function positions<T>(list: readonly T[], wanted: T): number[] {
  return list.flatMap((entry, i) => (entry === wanted ? [i] : []));
}

function limitOf(maxDets: Line['maxDets'], params: Params): number {
  return typeof maxDets === 'number' ? maxDets : (params.maxDets[maxDets.index] as number);
}

/** The recalls at a limit of detections are named after the limit in use. */
function nameOf(name: string, maxDets: Line['maxDets'], params: Params): string {
  return /^AR\d+$/.test(name) && typeof maxDets !== 'number' ? `AR${limitOf(maxDets, params)}` : name;
}

function format(line: Line, value: number, params: Params): string {
  const title = line.measure === 'precision' ? 'Average Precision  (AP)' : 'Average Recall     (AR)';
  const iou =
    line.iou === undefined
      ? `${fixed(params.iouThrs[0] ?? NaN, 2)}:${fixed(params.iouThrs.at(-1) ?? NaN, 2)}`
      : fixed(line.iou, 2);
  const limit = String(limitOf(line.maxDets, params)).padStart(3);
  if (!params.federated) {
    return ` ${title} @[ IoU=${iou.padEnd(9)} | area=${line.area.padStart(6)} | maxDets=${limit} ] = ${fixed(value, 3)}`;
  }
  const area = (line.area === 'all' ? line.area : line.area.charAt(0)).padStart(6);
  const categories = (line.frequency ?? 'all').padStart(3);
  return ` ${title} @[ IoU=${iou.padEnd(9)} | area=${area} | maxDets=${limit} catIds=${categories}] = ${fixed(value, 3)}`;
}

/** A number with so many decimals, halves rounded to even as Python does. */
export function fixed(value: number, decimals: number): string {
  const scaled = value * 10 ** decimals;
  const isHalf = Number.isInteger(value * 2 ** (decimals + 1)) && scaled - Math.floor(scaled) === 0.5;
  return isHalf ? ((2 * Math.round(scaled / 2)) / 10 ** decimals).toFixed(decimals) : value.toFixed(decimals);
}
