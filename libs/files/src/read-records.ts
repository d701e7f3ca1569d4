/** Records out of JSON files, checked as they are read: what is wrong is said with file, line and field. */
import { FileError } from './file-error';
import { readText } from './read-file';

/** What says whether a value is a `T`: a schema of zod, or anything of its form. */
export interface Schema<T> {
  safeParse(
    value: unknown,
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } };
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Reads a JSON file that holds one record. @throws FileError `path: field: what is wrong` */
export function readJson<T>(path: string, schema: Schema<T>): T {
  return parseRecord(path, readText(path), schema);
}

/** The records of a file with one a line, and what a process that was killed left of one more. */
export interface Lines<T> {
  readonly records: readonly T[];
  /** The last line, if it was cut short: without a line break at its end and not a record. */
  readonly torn: string | undefined;
}

/** Logs of long trainings have some hundred bytes a line. */
const MAX_LINES_BYTES = 256 << 20;

/**
 * Reads a file of JSON Lines.
 * @throws FileError `path:12: field: what is wrong` at the first damaged line; one that was cut short at the very end,
 * as by a full disk or a kill, is given back instead.
 */
export function readJsonLines<T>(path: string, schema: Schema<T>): Lines<T> {
  const lines = readText(path, { maxBytes: MAX_LINES_BYTES }).split('\n');
  const last = lines.pop()!;
  const records = lines.map((line, i) => parseRecord(`${path}:${i + 1}`, line, schema));
  if (last === '') return { records, torn: undefined };
  const whole = schema.safeParse(tryParse(last));
  return whole.success ? { records: [...records, whole.data], torn: undefined } : { records, torn: last };
}

/** @returns undefined for text that is not JSON: a record that was cut short. */
function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Checks the text of one record.
 * @param where file, or file and line, for the message.
 */
export function parseRecord<T>(where: string, text: string, schema: Schema<T>): T {
  const result = schema.safeParse(parseJson(where, text));
  if (result.success) return result.data;
  const [{ path, message } = { path: [], message: 'not as expected' }] = result.error.issues;
  const field = path.length === 0 ? '' : `${path.map(String).join('.')}: `;
  throw new FileError(where, `${field}${message}`);
}

function parseJson(where: string, text: string): unknown {
  if (text.trim() === '') throw new FileError(where, 'is empty, expected JSON');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FileError(where, `is not JSON: ${(error as Error).message}`, error);
  }
}
