/** What is said of input that breaks the COCO format, and the checks of single values that say it. */

/** A record of the input breaks the COCO format; the message names the record, the field, what was expected and received. */
export class CocoFormatError extends Error {
  override readonly name = 'CocoFormatError';

  /** @param received the value that was wrong, where it is a single one. */
  constructor(
    message: string,
    readonly received?: unknown,
  ) {
    super(message);
  }
}

/** Says where a record stands, e.g. `annotations[3] (id 17)`; called only when something is wrong. */
export type Where = () => string;

/** @throws CocoFormatError showing the value received. */
export function fail(where: Where, field: string, expected: string, received: unknown): never {
  throw new CocoFormatError(`${where()}: ${field}: expected ${expected}, received ${show(received)}`, received);
}

/** The same for something received that is described rather than shown. */
export function failWith(where: Where, field: string, expected: string, received: string): never {
  throw new CocoFormatError(`${where()}: ${field}: expected ${expected}, received ${received}`);
}

const SHOWN_CHARACTERS = 60;

/** A value as JSON writes it, cut to one short line however large or deep it is. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = write(value, SHOWN_CHARACTERS + 1);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS - 3)}...` : text;
}

/** Writes about `room` characters of a value; every level of nesting takes one, so that depth is bounded too. */
function write(value: unknown, room: number): string {
  if (room <= 0) return '';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room));
  if (typeof value !== 'object' || value === null) return String(value);
  let text = Array.isArray(value) ? '[' : '{';
  // Of a list only as many keys are looked at as fit, for it may be long.
  for (const key of Array.isArray(value) ? value.slice(0, room).keys() : Object.keys(value)) {
    if (text.length > room) return text;
    if (text.length > 1) text += ',';
    if (typeof key === 'string') text += `${JSON.stringify(key.slice(0, room))}:`;
    text += write((value as Record<string | number, unknown>)[key], room - text.length);
  }
  return text + (Array.isArray(value) ? ']' : '}');
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An id of the COCO format: an integer that a double holds exactly. */
export function checkId(value: unknown, field: string, where: Where): number {
  if (Number.isSafeInteger(value)) return value as number;
  return fail(where, field, Number.isInteger(value) ? 'an integer of at most 53 bits' : 'an integer', value);
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
