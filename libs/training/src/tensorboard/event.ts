/**
 * TensorFlow's `Event` message (tensorflow/core/util/event.proto, framework/summary.proto) in protobuf's wire format,
 * as far as scalars and pictures need it.
 */
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

export interface EncodedImage {
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

export function encodeEvent({ wallTime, step, content }: EventRecord): Buffer {
  const head = [double(1, wallTime), ...(step === undefined ? [] : [varintField(2, step)])];
  if ('fileVersion' in content) return Buffer.concat([...head, bytesField(3, Buffer.from(content.fileVersion))]);
  if ('sessionStart' in content) return Buffer.concat([...head, bytesField(7, varintField(1, 1))]);
  const values =
    'scalars' in content
      ? Object.entries(content.scalars).map(([tag, value]) => summaryValue(tag, float(2, value)))
      : Object.entries(content.images).map(([tag, image]) => summaryValue(tag, bytesField(4, encodeImage(image))));
  return Buffer.concat([...head, bytesField(5, Buffer.concat(values))]);
}

const summaryValue = (tag: string, value: Buffer): Buffer =>
  bytesField(1, Buffer.concat([bytesField(1, Buffer.from(tag)), value]));

const encodeImage = ({ width, height, png }: EncodedImage): Buffer =>
  Buffer.concat([varintField(1, height), varintField(2, width), varintField(3, 3), bytesField(4, png)]);

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

const key = (field: number, wire: number): Buffer => varint(field * 8 + wire);

const varintField = (field: number, value: number): Buffer => Buffer.concat([key(field, WIRE.varint), varint(value)]);

const bytesField = (field: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([key(field, WIRE.bytes), varint(bytes.length), bytes]);

function double(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([key(field, WIRE.fixed64), bytes]);
}

function float(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([key(field, WIRE.fixed32), bytes]);
}
