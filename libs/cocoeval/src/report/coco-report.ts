/** What an evaluation found, as a table, by category and as curves. */
import { categoryName } from '../dataset/rules';
import type { Accumulated } from '../evaluate/accumulate';
import { CocoFormatError } from '../format/errors';
import type { Params } from '../evaluate/params';
import { averageOf, fixed, summarize, type Summary } from './summarize';
import type { CocoCategory } from '../format/types';

/** Averages of one category at the largest limit of detections, over all areas unless named; -1 without objects. */
interface CategoryScores {
  readonly id: number;
  readonly name: string;
  readonly AP: number;
  readonly AP50: number;
  readonly AP75: number;
  readonly APsmall: number;
  readonly APmedium: number;
  readonly APlarge: number;
  readonly AR: number;
}

/** Which curve to read; without a category the mean over those that have objects. */
interface CurveChoice {
  readonly categoryId?: number;
  /** One of the IoU thresholds, default the first. */
  readonly iou?: number;
  /** Name of an area range, default the first. */
  readonly area?: string;
  /** Default the largest. */
  readonly maxDetections?: number;
}

/** A precision-recall curve: one entry for each recall threshold. */
export interface Curve {
  readonly recall: readonly number[];
  /** Highest precision at this recall or beyond; 0 where it is not reached, -1 without objects. */
  readonly precision: readonly number[];
  /** Score of the detection at which the recall is reached (of one category), for choosing a score threshold. */
  readonly score: readonly number[];
}

/** What an evaluation found. */
export class CocoReport {
  private summary: Summary | undefined;

  constructor(
    readonly params: Params,
    readonly accumulated: Accumulated,
    /** Those evaluated, in the order of the arrays in `accumulated`; one, unnamed, if categories are not used. */
    readonly categories: readonly CocoCategory[],
  ) {}

  /** AP, AP50, ... by name. */
  get metrics(): Readonly<Record<string, number>> {
    return this.summarized().metrics;
  }

  /** The numbers of the official table in its order. */
  get stats(): Float64Array {
    return this.summarized().stats;
  }

  /** The official table. */
  get text(): string {
    return this.summarized().text;
  }

  perCategory(): CategoryScores[] {
    const limit = this.params.maxDets.length - 1;
    return this.categories.map((record, category) => {
      const at = (iou: number): number =>
        averageOf('precision', this.accumulated, { category, area: 0, limit, thresholds: this.thresholds(iou) });
      const inArea = (name: string): number => {
        const area = this.params.areaRngLbl.indexOf(name);
        return area < 0 ? -1 : averageOf('precision', this.accumulated, { category, area, limit });
      };
      return {
        id: record.id,
        name: categoryName(record),
        AP: averageOf('precision', this.accumulated, { category, area: 0, limit }),
        AP50: at(0.5),
        AP75: at(0.75),
        APsmall: inArea('small'),
        APmedium: inArea('medium'),
        APlarge: inArea('large'),
        AR: averageOf('recall', this.accumulated, { category, area: 0, limit }),
      };
    });
  }

  /** `perCategory` as a table to read. */
  perCategoryText(): string {
    const rows = this.perCategory().map((c) => [
      shownName(c.name),
      ...[c.AP, c.AP50, c.AP75, c.AR].map((v) => fixed(v, 3)),
    ]);
    const table = [['category', 'AP', 'AP50', 'AP75', 'AR'], ...rows];
    const width = Math.max(...table.map(([name]) => (name as string).length));
    return table
      .map(([name, ...values]) => [name!.padEnd(width), ...values.map((v) => v.padStart(7))].join(''))
      .join('\n');
  }

  /** @throws CocoFormatError if there is no such category, threshold, area range or limit. */
  curve(choice: CurveChoice = {}): Curve {
    const { params, accumulated } = this;
    const [, R, K, A, M] = accumulated.counts;
    const t = find(params.iouThrs, choice.iou ?? params.iouThrs[0], 'iou');
    const a = find(params.areaRngLbl, choice.area ?? params.areaRngLbl[0], 'area');
    const m = find(params.maxDets, choice.maxDetections ?? params.maxDets.at(-1), 'maxDetections');
    const ids = this.categories.map(({ id }) => id);
    const chosen = choice.categoryId === undefined ? [...ids.keys()] : [find(ids, choice.categoryId, 'categoryId')];
    const read = (values: Float64Array): number[] =>
      params.recThrs.map((_, r) =>
        mean(chosen.map((k) => values[(((t * R + r) * K + k) * A + a) * M + m] as number).filter((v) => v > -1)),
      );
    return { recall: [...params.recThrs], precision: read(accumulated.precision), score: read(accumulated.scores) };
  }

  /** Everything in plain values. */
  toJSON(): Record<string, unknown> {
    return { metrics: this.metrics, stats: [...this.stats], perCategory: this.perCategory(), curve: this.curve() };
  }

  private thresholds(iou: number): number[] {
    return this.params.iouThrs.flatMap((threshold, t) => (threshold === iou ? [t] : []));
  }

  private summarized(): Summary {
    return (this.summary ??= summarize(this.accumulated, this.params, this.categories));
  }
}

function find<T>(list: readonly T[], wanted: T | undefined, field: string): number {
  const at = list.indexOf(wanted as T);
  if (at < 0) throw new CocoFormatError(`curve: ${field}: expected one of [${list}], received ${String(wanted)}`);
  return at;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? -1 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/** A name out of a file as a terminal may show it: control characters are written, not obeyed, and what is very long is cut. */
function shownName(name: string): string {
  const LENGTH = 100;
  const start = name.length > LENGTH ? `${name.slice(0, LENGTH)}...` : name;
  return start.replace(CONTROL, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
