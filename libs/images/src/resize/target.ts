/** What is resized, and to what. */
import type { Size } from '../rgb-image';

/** Rows of a picture, `to` not among them. */
export interface Rows {
  readonly from: number;
  readonly to: number;
}

/** A picture, of which those rows are at hand that are asked for. */
export interface Source extends Size {
  /** RGB bytes of the rows from `top` on; width and height are the whole picture's. */
  readonly data: Uint8Array;
  readonly top: number;
}

/** The size that a picture is resized to, whether left and right change places, and which rows are made. */
export interface Target extends Size {
  readonly mirror: boolean;
  readonly rows: Rows;
}
