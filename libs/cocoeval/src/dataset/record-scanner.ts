/** Annotations and results read straight from the bytes of plain JSON into columns (wasm/assembly/records.ts). */
import type { Column } from '../format/columns';
import type { IouType } from '../format/types';
import { Kernels } from '../wasm/kernels';
import type { Scanned } from './json-records';

/** What is read, as bits: results or else annotations, their boxes, their masks. */
export const RESULTS = 1;
export const BOXES = 2;
export const MASKS = 4;

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
  make(columns: readonly Column[], read: number): void {
    if (this.isMade || read === 0) return;
    this.isMade = true;
    for (const column of columns) if (this.bytes > read) column.expect((MARGIN * this.bytes) / read);
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

/** The records read last, one entry in each column. */
interface ScannedRecords {
  readonly ids: Float64Array;
  readonly imageIds: Float64Array;
  readonly categoryIds: Float64Array;
  readonly scores: Float64Array;
  readonly crowds: Uint32Array;
  readonly areas: Float64Array;
  readonly boxes: Float64Array;
  readonly segmentations: ScannedSegmentations;
}

/** Reads lists of records of one form. */
export class RecordScanner {
  /** Addresses of the input and the columns. */
  private readonly places: Uint32Array;
  private starts: Uint32Array = new Uint32Array(0);
  private bytesAtOnce = MOST_BYTES;
  private images: { readonly table: number; readonly count: number } | undefined;

  private constructor(
    private readonly kernels: Kernels,
    private readonly form: number,
  ) {
    this.places = kernels.uint32(kernels.run.recordColumns(MOST_BYTES), COLUMNS).slice();
  }

  /** @returns undefined where WebAssembly is missing: records have to be parsed then. */
  static create(form: number): RecordScanner | undefined {
    const kernels = Kernels.create();
    return kernels && new RecordScanner(kernels, form);
  }

  /** What results have, as far as is known. */
  get kind(): number {
    return this.kernels.run.resultKind();
  }

  /** Reads elements of a list, from the beginning of some bytes on, as many as are plain and keep the rules. */
  scan(bytes: Uint8Array, kind = ANY_RESULTS): Scanned {
    const { run } = this.kernels;
    const length = Math.min(bytes.length, this.bytesAtOnce);
    this.kernels.bytes(this.places[INPUT] as number, length).set(bytes.subarray(0, length));
    const count = run.scanRecords(length, this.form, kind);
    this.starts = this.kernels.uint32(this.places[STARTS] as number, count);
    const stop = STOPS[run.stopReason()] as Scanned['stop'];
    this.bytesAtOnce = stop === 'not plain' ? FEWEST_BYTES : Math.min(2 * this.bytesAtOnce, MOST_BYTES);
    return { count, end: run.resumeAt(), stop };
  }

  /** What was read, if reading had stopped before a record. */
  stopBefore(scanned: Scanned, record: number): Scanned {
    return record >= scanned.count ? scanned : { count: record, end: this.starts[record] as number, stop: 'not plain' };
  }

  /** The first `count` of the records read last; valid until the next are read. */
  records(count: number): ScannedRecords {
    const { kernels, places } = this;
    const float64 = (column: number, length = count): Float64Array => kernels.float64(places[column] as number, length);
    const uint32 = (column: number, length = count): Uint32Array => kernels.uint32(places[column] as number, length);
    return {
      ids: float64(2),
      imageIds: float64(3),
      categoryIds: float64(4),
      scores: float64(5),
      crowds: uint32(6),
      areas: float64(7),
      boxes: float64(8, 4 * count),
      segmentations: this.segmentations((this.form & MASKS) !== 0 ? count : 0),
    };
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
    run.findIds(this.images.table, this.places[3] as number, count, out);
    run.release(start);
    return this.kernels.int32(out, count);
  }

  private segmentations(count: number): ScannedSegmentations {
    const { kernels, places } = this;
    const uint32 = (column: number, length = count): Uint32Array => kernels.uint32(places[column] as number, length);
    const [countEnds, lengthEnds, coordinateEnds] = [uint32(11), uint32(12), uint32(13)];
    return {
      kinds: uint32(9),
      sizes: uint32(10, 2 * count),
      countEnds,
      lengthEnds,
      coordinateEnds,
      counts: kernels.bytes(places[14] as number, countEnds[count - 1] ?? 0),
      lengths: uint32(15, lengthEnds[count - 1] ?? 0),
      coordinates: kernels.float64(places[16] as number, coordinateEnds[count - 1] ?? 0),
    };
  }
}

const INPUT = 0;
const STARTS = 1;
const COLUMNS = 17;
