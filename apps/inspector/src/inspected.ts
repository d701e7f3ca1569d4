/** What the server needs of something that is looked at. */
import type { DecodeOptions } from '@pyramidal/images';
import type { About, Curve, ImageDetails, Selection } from './protocol';

/** An image's file, and how it is read. */
export interface PictureFile {
  readonly file: string;
  readonly decode: DecodeOptions;
}

/** A data set with the predictions of any number of runs. Images are numbered from 0. */
export interface Inspected {
  readonly about: Omit<About, 'version'>;
  /** @throws QueryError as all that take a query. */
  select(query: URLSearchParams): Selection;
  /** @param hasMasks whether masks are told, which only a drawing of the image alone needs. */
  image(index: number, hasMasks: boolean): ImageDetails;
  picture(index: number): PictureFile;
  /** What may be saved of a selection, by name, as JSON can hold it. */
  readonly exports: Readonly<Record<string, (query: URLSearchParams) => object>>;
  /** Precision over recall; of detectors. */
  curve?(query: URLSearchParams): Curve;
  /** The class of each pixel, 255 for none, row by row: of the labels or of a run; small ones for the wall. Of segmentors. */
  map?(index: number, layer: string, isSmall: boolean): Promise<Uint8Array>;
}

/** There is no such image, layer or file. */
export class NotThereError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NotThereError';
  }
}
