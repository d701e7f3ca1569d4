/** The header of a safetensors file, read in linear time: names, types, shapes and places of its tensors. */
import { byteLength, describe, dtypes, type DType } from './dtype';
import { CheckpointError, checkpointError, quote } from './errors';

/** Where a tensor lies, in bytes from the start of the file. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** Bytes that are read piece by piece, from a file or from memory. */
export interface ByteRange {
  /** Stands before what errors say. */
  readonly path: string;
  readonly size: number;
  /** @throws CheckpointError if the range is not inside. `what` names the thing read in the message. */
  read(position: number, length: number, what: string): Uint8Array;
}

interface Header {
  readonly entries: readonly HeaderEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Room for 100,000 tensors; more would be a way to exhaust memory rather than a model. */
const MAX_HEADER_BYTES = 16 << 20;

/** header { tensor { shape [ ] } }: JSON that nests deeper is refused before it is parsed. */
const MAX_NESTING = 3;

/** Axes of a PyTorch tensor are limited to this. */
const MAX_AXES = 64;

const dtypeOfTag = new Map<unknown, DType>(Object.entries(dtypes).map(([dtype, { tag }]) => [tag, dtype as DType]));

/** Reads the header and checks that its tensors fill the rest of the file without gap or overlap. */
export function parseHeader(file: ByteRange): Header {
  const fail = (problem: string) => checkpointError(file.path, `not a valid safetensors file: ${problem}`);
  if (file.size < 8) throw fail(`expected at least 8 bytes, received ${file.size}`);
  const { buffer, byteOffset } = file.read(0, 8, 'the header length');
  const length = Number(new DataView(buffer, byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES) throw fail(`a header of ${length} bytes is beyond the limit of ${MAX_HEADER_BYTES}`);
  if (length > file.size - 8) throw fail(`a header of ${length} bytes does not fit a file of ${file.size}`);

  const json = parseJson(file.read(8, length, 'the header'), fail);
  const { __metadata__: metadata = {}, ...members } = json;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw fail('__metadata__ must map names to strings');
  }
  const entries = Object.entries(members).map(([name, member]) => parseEntry(name, member, 8 + length, fail));
  checkCoverage(entries, 8 + length, file.size, fail);
  return { entries, metadata: metadata as Record<string, string> };
}

type Fail = (problem: string) => Error;
type JsonRecord = Record<string, unknown>;

function parseJson(bytes: Uint8Array, fail: Fail): JsonRecord {
  try {
    const { nesting, members } = outlineOf(bytes);
    if (nesting > MAX_NESTING) throw fail(`the header nests deeper than ${MAX_NESTING} levels`);
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (isRecord(value)) {
      if (Object.keys(value).length < members) throw fail('a name appears twice');
      return value;
    }
  } catch (error) {
    throw error instanceof CheckpointError ? error : fail('the header is not UTF-8 JSON');
  }
  throw fail('the header is not a JSON object');
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/**
 * Deepest nesting of braces and brackets, and members of the outermost object, counted in one pass over the bytes:
 * all that matters is ASCII, which UTF-8 uses for nothing else.
 */
function outlineOf(json: Uint8Array): { nesting: number; members: number } {
  let [depth, nesting, commas, isText] = [0, 0, 0, false];
  for (let i = 0; i < json.length; i++) {
    const byte = json[i]!;
    if (isText) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if (OPENING.has(byte)) nesting = Math.max(nesting, ++depth);
    else if (CLOSING.has(byte)) depth--;
    else if (byte === COMMA && depth === 1) commas++;
  }
  return { nesting, members: commas === 0 ? 0 : commas + 1 };
}

function parseEntry(name: string, member: unknown, dataStart: number, fail: Fail): HeaderEntry {
  const label = quote(name);
  if (!isRecord(member)) throw fail(`${label} is not an object`);
  const dtype = dtypeOfTag.get(member['dtype']);
  if (!dtype) {
    const known = [...dtypeOfTag.keys()].join(', ');
    const received = typeof member['dtype'] === 'string' ? quote(member['dtype']) : typeof member['dtype'];
    throw fail(`${label} has dtype ${received}, expected one of ${known}`);
  }
  const { shape, data_offsets: offsets } = member;
  if (!isNumbers(shape) || shape.length > MAX_AXES) throw fail(`${label} has no list of sizes as its shape`);
  if (!isNumbers(offsets) || offsets.length !== 2) throw fail(`${label} has no pair of data_offsets`);
  const [begin, end] = offsets as [number, number];
  if (!(byteLength({ dtype, shape }) === end - begin)) {
    throw fail(`${label} is ${quote(describe({ dtype, shape }))} but occupies bytes ${begin} to ${end}`);
  }
  return { name, dtype, shape, begin: dataStart + begin, end: dataStart + end };
}

function checkCoverage(entries: readonly HeaderEntry[], start: number, size: number, fail: Fail): void {
  let position = start;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== position) throw fail(`${quote(name)} starts at byte ${begin}, expected ${position}`);
    position = end;
  }
  if (position !== size) throw fail(`the tensors end at byte ${position}, the file at ${size}`);
}

const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
