/** Images, annotations and results read straight from the bytes of plain JSON into columns (wasm/assembly/records.ts). */
import type { Column } from '../format/columns';
import type { IouType } from '../format/types';
import { Kernels } from '../wasm/kernels';
import type { Scanned } from './json-records';

/** What is read, as bits: results, images or else annotations; boxes and masks. */
export const RESULTS = 1;
export const BOXES = 2;
export const MASKS = 4;
export const IMAGES = 8;

/** What is read of results. */
export function resultsOf(iouType: IouType): number {
  return RESULTS | BOXES | (iouType === 'segm' ? MASKS : 0);
}

/** What all results of a list have, as its first one: 1 for boxes, 2 for masks alone, 0 where it is not known yet. */
export const ANY_RESULTS = 0;

/** Bytes that are read at once: where elements are not plain fewer, so that little is copied in vain. */
const MOST_BYTES = 1 << 18;
const FEWEST_BYTES = 1 << 12;

const STOPS = ['end', 'incomplete', 'not plain'] as const;

/** Some more than the first records tell, so that columns seldom grow again. */
const MARGIN = 1.1;

/** Makes room in columns for all records of a text, as soon as the first ones are there. */
export class Room {
  private isMade = false;

  /** @param bytes of the text; 0 if that is not known. */
  constructor(private readonly bytes: number) {}

  /** @param read bytes of the records that the columns hold. */
  make(columns: () => readonly Column[], read: number): void {
    if (this.isMade || read === 0) return;
    this.isMade = true;
    for (const column of columns()) if (this.bytes > read) column.expect((MARGIN * this.bytes) / read);
  }
}

/** Some columns of segmentations: see Segmentations, whose names these are. */
export interface ScannedSegmentations {
  readonly kinds: Uint32Array;
  readonly sizes: Uint32Array;
  readonly countEnds: Uint32Array;
  readonly lengthEnds: Uint32Array;
  readonly coordinateEnds: Uint32Array;
  readonly counts: Uint8Array;
  readonly lengths: Uint32Array;
  readonly coordinates: Float64Array;
}

/** Reads lists of records. */
export class RecordScanner {
  /** Addresses of the input and the columns. */
  private readonly places: Uint32Array;
  private starts: Uint32Array = new Uint32Array(0);
  private bytesAtOnce = MOST_BYTES;
  private form = 0;
  private images: { readonly table: number; readonly count: number } | undefined;

  private constructor(private readonly kernels: Kernels) {
    this.places = kernels.uint32(kernels.run.recordColumns(MOST_BYTES), COLUMNS.length).slice();
  }

  /** @returns undefined where WebAssembly is missing: records have to be parsed then. */
  static create(): RecordScanner | undefined {
    const kernels = Kernels.create();
    return kernels && new RecordScanner(kernels);
  }

  /** What results have, as far as is known. */
  get kind(): number {
    return this.kernels.run.resultKind();
  }

  /**
   * Reads elements of a list, from the beginning of some bytes on, as many as are plain and keep the rules.
   * @param form bits of what is read. @param kind what results have.
   */
  scan(bytes: Uint8Array, form: number, kind = ANY_RESULTS): Scanned {
    this.form = form;
    for (;;) {
      const length = Math.min(bytes.length, this.bytesAtOnce);
      const scanned = this.scanPiece(bytes.subarray(0, length), kind);
      this.bytesAtOnce = scanned.stop === 'not plain' ? FEWEST_BYTES : Math.min(2 * this.bytesAtOnce, MOST_BYTES);
      // What is missing may be there.
      const isCut = scanned.count === 0 && scanned.stop === 'incomplete' && length < bytes.length;
      if (!isCut || length === MOST_BYTES) return scanned;
    }
  }

  private scanPiece(bytes: Uint8Array, kind: number): Scanned {
    const { run } = this.kernels;
    this.kernels.bytes(this.place('input'), bytes.length).set(bytes);
    const count = run.scanRecords(bytes.length, this.form, kind);
    this.starts = this.kernels.uint32(this.place('starts'), count);
    return { count, end: run.resumeAt(), stop: STOPS[run.stopReason()] as Scanned['stop'] };
  }

  /** What was read, if reading had stopped before a record. */
  stopBefore(scanned: Scanned, record: number): Scanned {
    return record >= scanned.count ? scanned : { count: record, end: this.starts[record] as number, stop: 'not plain' };
  }

  /** The first `count` of the records read last; valid until the next are read. */
  records(count: number): ScannedRecords {
    return new ScannedRecords(this.kernels, this.places, count, (this.form & MASKS) !== 0);
  }

  /** Writes the places of the first `count` records' image ids among all ids; -1 for other ones. */
  imageIndices(ids: readonly number[], count: number): Int32Array {
    const { run } = this.kernels;
    if (this.images?.count !== ids.length) {
      const table = run.idTable(this.kernels.put(Float64Array.from(ids)), ids.length);
      this.images = { table, count: ids.length };
    }
    const start = run.mark();
    const out = run.allocate(4 * count);
    run.findIds(this.images.table, this.place('imageIds'), count, out);
    run.release(start);
    return this.kernels.int32(out, count);
  }

  private place(column: ColumnName): number {
    return this.places[COLUMNS.indexOf(column)] as number;
  }
}

/** The records read last, one entry in each column, which becomes a view when it is asked for. */
class ScannedRecords {
  constructor(
    private readonly kernels: Kernels,
    private readonly places: Uint32Array,
    private readonly count: number,
    private readonly hasMasks: boolean,
  ) {}

  get ids(): Float64Array {
    return this.float64('ids', this.count);
  }

  get imageIds(): Float64Array {
    return this.float64('imageIds', this.count);
  }

  get categoryIds(): Float64Array {
    return this.float64('categoryIds', this.count);
  }

  get scores(): Float64Array {
    return this.float64('scores', this.count);
  }

  get crowds(): Uint32Array {
    return this.uint32('crowds', this.count);
  }

  get areas(): Float64Array {
    return this.float64('areas', this.count);
  }

  get boxes(): Float64Array {
    return this.float64('boxes', 4 * this.count);
  }

  get widths(): Float64Array {
    return this.float64('widths', this.count);
  }

  get heights(): Float64Array {
    return this.float64('heights', this.count);
  }

  /** Of records without masks empty. */
  get segmentations(): ScannedSegmentations {
    const count = this.hasMasks ? this.count : 0;
    const countEnds = this.uint32('countEnds', count);
    const lengthEnds = this.uint32('lengthEnds', count);
    const coordinateEnds = this.uint32('coordinateEnds', count);
    return {
      kinds: this.uint32('kinds', count),
      sizes: this.sizes,
      countEnds,
      lengthEnds,
      coordinateEnds,
      counts: this.kernels.bytes(this.place('counts'), countEnds[count - 1] ?? 0),
      lengths: this.uint32('lengths', lengthEnds[count - 1] ?? 0),
      coordinates: this.float64('coordinates', coordinateEnds[count - 1] ?? 0),
    };
  }

  /** Heights and widths of masks. */
  get sizes(): Uint32Array {
    return this.uint32('sizes', this.hasMasks ? 2 * this.count : 0);
  }

  private float64(column: ColumnName, length: number): Float64Array {
    return this.kernels.float64(this.place(column), length);
  }

  private uint32(column: ColumnName, length: number): Uint32Array {
    return this.kernels.uint32(this.place(column), length);
  }

  private place(column: ColumnName): number {
    return this.places[COLUMNS.indexOf(column)] as number;
  }
}

/** The input and the columns, in the order in which the kernels give their places. */
const COLUMNS = [
  ...([
    'input',
    'starts',
    'ids',
    'imageIds',
    'categoryIds',
    'scores',
    'crowds',
    'areas',
    'boxes',
    'widths',
    'heights',
  ] as const),
  ...(['kinds', 'sizes', 'countEnds', 'lengthEnds', 'coordinateEnds', 'counts', 'lengths', 'coordinates'] as const),
] as const;

type ColumnName = (typeof COLUMNS)[number];
