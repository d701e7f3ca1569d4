/**
 * TensorFlow's `Event` message (tensorflow/core/util/event.proto, framework/summary.proto) in protobuf's wire format,
 * as far as scalars and pictures need it.
 */
import { protobuf } from '@pyramidal/graph';

const { bytesField, doubleField, floatField, integerField, messageField } = protobuf;

/** An event as TensorBoard reads it. */
export interface EventRecord {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step?: number;
  readonly content:
    | { readonly fileVersion: string }
    | { readonly scalars: Readonly<Record<string, number>> }
    | { readonly images: Readonly<Record<string, EncodedImage>> }
    /** A program starts here: readers drop what an earlier one wrote at this step and after it. */
    | { readonly sessionStart: true };
}

/** A picture for TensorBoard. */
export interface EncodedImage {
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

/** The bytes of an event. */
export function encodeEvent({ wallTime, step, content }: EventRecord): Buffer {
  const head = [doubleField(1, wallTime), ...(step === undefined ? [] : [integerField(2, step)])];
  if ('fileVersion' in content) return Buffer.concat([...head, bytesField(3, content.fileVersion)]);
  if ('sessionStart' in content) return Buffer.concat([...head, messageField(7, [integerField(1, 1)])]);
  const values =
    'scalars' in content
      ? Object.entries(content.scalars).map(([tag, value]) => summaryValue(tag, floatField(2, value)))
      : Object.entries(content.images).map(([tag, image]) => summaryValue(tag, imageField(4, image)));
  return Buffer.concat([...head, messageField(5, values)]);
}

const summaryValue = (tag: string, value: Buffer): Buffer => messageField(1, [bytesField(1, tag), value]);

const RGB = 3;

const imageField = (field: number, { width, height, png }: EncodedImage): Buffer =>
  messageField(field, [integerField(1, height), integerField(2, width), integerField(3, RGB), bytesField(4, png)]);
