/** Datasets and results from JSON texts that come in pieces, in files or in memory. */
import { checkId, CocoFormatError, isRecord } from '../format/errors';
import type { CocoResult } from '../format/types';
import { JsonRecords, type JsonSink, type Scanned } from './json-records';
import { checkAnnotationIds, checkCategoryId, checkImageId } from './rules';

/** A text as UTF-8 in pieces. */
type Pieces = Iterable<Uint8Array>;

/**
 * Reads a JSON text to its end.
 * @param name of the text, for errors.
 */
export function readJson(pieces: Pieces, name: string, sink: JsonSink): void {
  const reader = new JsonRecords(sink, name);
  for (const piece of pieces) reader.push(piece);
  reader.end();
}

/** Reads a dataset with all its records. @throws CocoFormatError naming the first without ids. */
export function readDataset(pieces: Pieces, name: string): Record<string, unknown> {
  const fields = new Map<string, unknown>();
  const check = idCheck(`${name}: `);
  let list: unknown[] = [];
  readJson(pieces, name, {
    value: (key, value) => fields.set(key, value),
    list: (key) => fields.set(requireNewKey(key, fields, name), (list = [])),
    record: (key, record, index) => {
      check(key, record, index);
      list.push(record);
    },
  });
  return Object.fromEntries(fields);
}

/** Reads the results of a detector. @throws CocoFormatError if they are not a list. */
export function readResultList(pieces: Pieces, name: string): CocoResult[] {
  const results: CocoResult[] = [];
  const add = (result: unknown, index: number): void => {
    if (isRecord(result) && Number.isInteger(result['image_id'])) {
      checkId(result['image_id'], 'image_id', () => `${name}[${index}]`);
    }
    results.push(result as CocoResult);
  };
  readEachResult(pieces, name, { add });
  return results;
}

/** Takes results one by one. */
interface ResultSink {
  add(result: unknown, index: number): void;
  /** As in `JsonSink`. */
  scan?(bytes: Uint8Array): Scanned | undefined;
}

/** Reads results one by one. */
export function readEachResult(pieces: Pieces, name: string, { add, scan }: ResultSink): void {
  const refuse = (): never => {
    throw new CocoFormatError(`${name}: expected a list of results, received an object`);
  };
  let isList = false;
  readJson(pieces, name, {
    value: refuse,
    list: (key) => (key === null ? (isList = true) : refuse()),
    record: (_, result, index) => add(result, index),
    scan: scan && ((key, bytes) => (key === null ? scan(bytes) : undefined)),
  });
  if (!isList) refuse();
}

/** @throws CocoFormatError if a dataset's text is a list, or has two lists of one name. */
export function requireNewKey(key: string | null, seen: { has(key: string): boolean }, name: string): string {
  if (key === null) {
    throw new CocoFormatError(`${name}: expected an object with images and annotations, received a list`);
  }
  if (seen.has(key)) throw new CocoFormatError(`${name}: ${key}: expected one list, received a second`);
  return key;
}

const TEXT_PIECE = 1 << 18;

/** A text in memory as pieces, none of which ends within a character. */
export function* piecesOf(text: string): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  for (let at = 0; at < text.length;) {
    let end = Math.min(at + TEXT_PIECE, text.length);
    if (isHighSurrogate(text.charCodeAt(end - 1))) end = Math.min(end + 1, text.length);
    yield encoder.encode(text.slice(at, end));
    at = end;
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

/** Ids are checked as they are read, where the text still says how they were written. */
function idCheck(source: string): (key: string | null, record: unknown, index: number) => void {
  const none = new Set<number>(); // whether an id comes twice is seen later
  return (key, record, index) => {
    const where = (): string => `${source}${key}[${index}]`;
    if (key === 'images') checkImageId(record, where, none);
    if (key === 'categories') checkCategoryId(record, where, none);
    if (key === 'annotations') checkAnnotationIds(record, index, source, none);
  };
}
