/** Results read straight from bytes before the images of their dataset are known. */
import { Float64Column, type Column, type ColumnData } from '../format/columns';
import type { IouType } from '../format/types';
import type { Scanned } from './json-records';
import { ANY_RESULTS, RecordScanner, resultsOf, Room } from './record-scanner';
import { Segmentations } from './segmentations';

/** The same for another thread, which shares the columns. */
export interface PackedResults {
  readonly kind: number;
  readonly columns: readonly ColumnData[];
}

/** Plain results as columns, in the order of the list. */
export class ScannedResults {
  /** What results have, as in RecordScanner. */
  kind = ANY_RESULTS;
  readonly imageIds = new Float64Column();
  readonly categoryIds = new Float64Column();
  readonly scores = new Float64Column();
  readonly areas = new Float64Column();
  readonly boxes = new Float64Column();
  readonly segmentations = new Segmentations();
  private readonly scanner: RecordScanner | undefined;
  private readonly room: Room;

  /** @param bytes of the text, if it is known. */
  constructor(
    private readonly iouType: IouType,
    bytes = 0,
  ) {
    this.room = new Room(bytes);
    this.scanner = iouType === 'keypoints' ? undefined : RecordScanner.create();
  }

  static unpack(iouType: IouType, { kind, columns }: PackedResults): ScannedResults {
    const results = new ScannedResults(iouType);
    results.kind = kind;
    results.columns.forEach((column, i) => column.adopt(columns[i] as ColumnData));
    return results;
  }

  pack(): PackedResults {
    return { kind: this.kind, columns: this.columns.map((column) => column.share()) };
  }

  /** Reads results from the beginning of some bytes on, as many as are plain; undefined where none can be. */
  scan(bytes: Uint8Array): Scanned | undefined {
    const { scanner } = this;
    if (scanner === undefined) return undefined;
    const scanned = scanner.scan(bytes, resultsOf(this.iouType), this.kind);
    const records = scanner.records(scanned.count);
    if (scanned.count > 0) this.kind = scanner.kind;
    this.imageIds.append(records.imageIds);
    this.categoryIds.append(records.categoryIds);
    this.scores.append(records.scores);
    this.areas.append(records.areas);
    if (this.iouType === 'bbox') this.boxes.append(records.boxes);
    else this.segmentations.append(records.segmentations);
    this.room.make(() => this.columns, scanned.end);
    return scanned;
  }

  private get columns(): Column[] {
    const { imageIds, categoryIds, scores, areas, boxes, segmentations } = this;
    return [imageIds, categoryIds, scores, areas, boxes, ...segmentations.columns];
  }
}
