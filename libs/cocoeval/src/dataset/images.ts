/** The images of a dataset as columns, with what LVIS says of them (https://www.lvisdataset.org/dataset). */
import { checkId, fail, type Where } from '../format/errors';
import { MAX_PIXELS } from '../mask/rle';
import type { Scanned } from './json-records';
import { IMAGES, type RecordScanner } from './record-scanner';
import { checkImageId, checkImageSize } from './rules';
import type { CocoImage, Size } from '../format/types';

/** What LVIS says of an image beyond its annotations. */
export interface Federation {
  readonly negative: ReadonlySet<number>;
  readonly notExhaustive: ReadonlySet<number>;
}

/** Images for another thread. */
export interface PackedImages {
  readonly source: string;
  readonly ids: readonly number[];
  readonly federations: readonly (Federation | undefined)[];
  readonly sizes: readonly (Size | undefined)[];
  readonly unsized: ReadonlyMap<number, CocoImage>;
}

/** The images of a dataset: a dense index for each id, in order of appearance. */
export class ImageTable {
  readonly ids: number[] = [];
  readonly federations: (Federation | undefined)[] = [];
  private readonly sizeOf: (Size | undefined)[] = [];
  /** Records whose size is missing or wrong, which counts only where a size is asked for. */
  private readonly unsized = new Map<number, CocoImage>();
  private readonly indices = new Map<number, number>();

  /** @param source what stands before the names of the dataset's records: '' or its file and a colon. */
  constructor(readonly source = '') {}

  static unpack({ source, ids, federations, sizes, unsized }: PackedImages): ImageTable {
    const table = new ImageTable(source);
    ids.forEach((id, index) => {
      table.indices.set(id, index);
      table.ids.push(id);
      table.federations.push(federations[index]);
      table.sizeOf.push(sizes[index]);
    });
    for (const [index, image] of unsized) table.unsized.set(index, image);
    return table;
  }

  /** For another thread. */
  pack(): PackedImages {
    const { source, ids, federations, sizeOf, unsized } = this;
    return { source, ids, federations, sizes: sizeOf, unsized };
  }

  get length(): number {
    return this.ids.length;
  }

  add(image: unknown): void {
    const index = this.length;
    const id = checkImageId(image, () => `${this.source}images[${index}]`, this.indices);
    const record = image as CocoImage;
    const { width, height } = record;
    const sized = isPixels(width) && isPixels(height) && width * height <= MAX_PIXELS;
    if (!sized) this.unsized.set(index, { id, width, height });
    this.append(id, sized ? [height, width] : undefined);
    this.federations[index] = federationOf(record, () => this.label(index));
  }

  /** Adds the next images of a list's text, as many as are plain JSON of a usual form; what comes then `add` takes. */
  scan(bytes: Uint8Array, scanner: RecordScanner): Scanned {
    const scanned = scanner.scan(bytes, IMAGES);
    const { ids, widths, heights } = scanner.records(scanned.count);
    for (let i = 0; i < scanned.count; i++) {
      const id = ids[i] as number;
      if (this.indices.has(id)) return scanner.stopBefore(scanned, i);
      this.append(id, [heights[i] as number, widths[i] as number]);
    }
    return scanned;
  }

  private append(id: number, size: Size | undefined): void {
    this.indices.set(id, this.length);
    this.ids.push(id);
    this.sizeOf.push(size);
    this.federations.push(undefined);
  }

  /** The index of an image id, or -1. */
  indexOf(id: number): number {
    return this.indices.get(id) ?? -1;
  }

  /** @throws CocoFormatError if the image has no whole height and width. */
  requireSize(index: number): Size {
    return this.sizeOf[index] ?? checkImageSize(this.unsized.get(index) ?? { id: NaN }, () => this.label(index));
  }

  /** Height and width of each image; undefined if one of them has none. */
  sizes(): Uint32Array | undefined {
    return this.unsized.size > 0 ? undefined : Uint32Array.from(this.sizeOf.flatMap((size) => size ?? []));
  }

  /** Whether the image has that height and width. */
  hasSize(index: number, [height, width]: Size): boolean {
    const size = this.sizeOf[index];
    return size !== undefined && size[0] === height && size[1] === width;
  }

  private label(index: number): string {
    return `${this.source}images[${index}] (id ${this.ids[index]})`;
  }
}

function isPixels(side: unknown): side is number {
  return Number.isInteger(side) && (side as number) > 0;
}

function federationOf(image: CocoImage, where: Where): Federation | undefined {
  const { neg_category_ids: negative, not_exhaustive_category_ids: notExhaustive } = image;
  if (negative === undefined && notExhaustive === undefined) return undefined;
  return {
    negative: idSet(negative, 'neg_category_ids', where),
    notExhaustive: idSet(notExhaustive, 'not_exhaustive_category_ids', where),
  };
}

function idSet(value: unknown, field: string, where: Where): Set<number> {
  if (value === undefined) return new Set();
  if (!Array.isArray(value)) return fail(where, field, 'a list of category ids', value);
  return new Set(value.map((id) => checkId(id, field, where)));
}
