/** TensorBoard's event files: TFRecords of `Event` messages (tensorflow/core/lib/io/record_writer.h). */
import { maskedCrc32c } from './crc32c';
import { encodeEvent, type EventRecord } from './event';

/** An event as a TFRecord: length, its checksum, the bytes, their checksum. */
export function encodeRecord(event: EventRecord): Buffer {
  const bytes = encodeEvent(event);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([length, checksum(length), bytes, checksum(bytes)]);
}

function checksum(bytes: Uint8Array): Buffer {
  const result = Buffer.alloc(4);
  result.writeUInt32LE(maskedCrc32c(bytes));
  return result;
}

/** The name that TensorBoard looks for. */
export function eventFileName(time: Date, host: string, process: number): string {
  const seconds = String(Math.floor(time.getTime() / 1000)).padStart(10, '0');
  return `events.out.tfevents.${seconds}.${host}.${process}`;
}
