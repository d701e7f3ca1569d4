/** Where finished rows of a resized picture go. */
import type { Normalisation } from '../normalisation';
import { put, rowKernels } from './rows';

/** Takes finished rows of a picture, top to bottom, out of the kernels' memory; one sink for each call of a resizer. */
export interface RowSink {
  /** Bytes of kernel memory it needs for itself. */
  readonly scratch: number;
  /** @param row address of the row's bytes. */
  write(y: number, row: number, scratch: number): void;
}

/** Copies rows into a picture's bytes. */
export function byteSink(out: Uint8Array, width: number): RowSink {
  const stride = width * 3;
  return {
    scratch: 0,
    write(y, row) {
      out.set(new Uint8Array(rowKernels().memory.buffer, row, stride), y * stride);
    },
  };
}

/** Where a picture lies in a larger block of floats. */
export interface Placement {
  /** Index of its first value; 0 unless told. */
  readonly offset?: number;
  /** Pixels in each row of the block; the picture's width unless told. */
  readonly canvasWidth?: number;
}

/** Normalises rows into float32 values. */
export function floatSink(
  normalisation: Normalisation,
  out: Float32Array,
  width: number,
  { offset = 0, canvasWidth = width }: Placement,
): RowSink {
  const table = normalisationTable(normalisation);
  const stride = width * 3;
  let isReady = false;
  return {
    scratch: table.byteLength + stride * 4,
    write(y, row, scratch) {
      const floats = scratch + table.byteLength;
      if (!isReady) put(scratch, table);
      isReady = true;
      const { memory, normaliseRow } = rowKernels();
      normaliseRow(row, stride, scratch, floats);
      out.set(new Float32Array(memory.buffer, floats, stride), offset + y * canvasWidth * 3);
    },
  };
}

/** Means, then scales, each for the twelve values of four pixels. */
function normalisationTable({ mean, std }: Normalisation): Float32Array {
  const channels = Array.from({ length: 12 }, (_, i) => i % 3);
  return Float32Array.from([...channels.map((c) => mean[c]!), ...channels.map((c) => 1 / std[c]!)]);
}
