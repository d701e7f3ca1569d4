/** The size that a picture is resized to, and whether left and right change places. */
import type { Size } from '../rgb-image';

export interface Target extends Size {
  readonly mirror: boolean;
}
