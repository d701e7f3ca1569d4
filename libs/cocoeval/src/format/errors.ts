/** A record of the input breaks the COCO format; the message names the record, the field, what was expected and received. */
export class CocoFormatError extends Error {
  override readonly name = 'CocoFormatError';
}

/** Says where a record stands, e.g. `annotations[3] (id 17)`; called only when something is wrong. */
export type Where = () => string;

export function fail(where: Where, field: string, expected: string, received: unknown): never {
  return failWith(where, field, expected, show(received));
}

/** The same for something received that is described rather than shown. */
export function failWith(where: Where, field: string, expected: string, received: string): never {
  throw new CocoFormatError(`${where()}: ${field}: expected ${expected}, received ${received}`);
}

export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An id of the COCO format: an integer that a double holds exactly. */
export function checkId(value: unknown, field: string, where: Where): number {
  return Number.isSafeInteger(value) ? (value as number) : fail(where, field, 'an integer', value);
}

export function checkFinite(value: unknown, field: string, where: Where): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : fail(where, field, 'a finite number', value);
}

/** A list of finite numbers, of the given length if there is one. */
export function checkNumbers(value: unknown, length: number | undefined, field: string, where: Where): number[] {
  const expected = length === undefined ? 'finite numbers' : `${length} finite numbers`;
  if (!Array.isArray(value)) return fail(where, field, expected, value);
  if (length !== undefined && value.length !== length) failWith(where, field, expected, `${value.length} values`);
  for (const entry of value)
    if (typeof entry !== 'number' || !Number.isFinite(entry)) fail(where, field, expected, value);
  return value as number[];
}
