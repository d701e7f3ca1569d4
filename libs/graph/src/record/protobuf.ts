/**
 * Writes protocol buffer wire format (https://protobuf.dev/programming-guides/encoding). A message is the concatenation
 * of its fields; each function below gives one field.
 */

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_64 = 1;
const FIXED_32 = 5;

/** int32, int64, bool and enum fields; negative numbers take ten bytes, as the format has it. */
export function integerField(field: number, value: number | boolean): Buffer {
  return Buffer.concat([tag(field, VARINT), varint(Number(value))]);
}

export function floatField(field: number, value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeFloatLE(value);
  return Buffer.concat([tag(field, FIXED_32), payload]);
}

export function doubleField(field: number, value: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeDoubleLE(value);
  return Buffer.concat([tag(field, FIXED_64), payload]);
}

/** string, bytes, and embedded messages. */
export function bytesField(field: number, value: string | Uint8Array): Buffer {
  const isText = typeof value === 'string';
  const size = isText ? Buffer.byteLength(value) : value.byteLength;
  const [key, length] = [tag(field, LENGTH_DELIMITED), varint(size)];
  const start = key.length + length.length;
  const bytes = Buffer.allocUnsafe(start + size);
  bytes.set(key, 0);
  bytes.set(length, key.length);
  if (isText) bytes.write(value, start);
  else bytes.set(value, start);
  return bytes;
}

export function messageField(field: number, fields: readonly Uint8Array[]): Buffer {
  return bytesField(field, Buffer.concat(fields));
}

/** One entry of a `map<string, Message>` field. */
export function mapField(field: number, key: string, value: Uint8Array): Buffer {
  return messageField(field, [bytesField(1, key), bytesField(2, value)]);
}

function tag(field: number, wireType: number): Buffer {
  return varint(field * 8 + wireType);
}

/** Numbers of one byte, which are nearly all. */
const SHORT = Array.from({ length: 0x80 }, (_, value) => Buffer.of(value));

function varint(value: number): Buffer {
  const short = SHORT[value];
  if (short !== undefined) return short;
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}
