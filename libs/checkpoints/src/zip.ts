/** Reads zip archives (APPNOTE 6.3.10) by their central directory, members left in the file until they are asked for. */
import { crc32, inflateRawSync } from 'node:zlib';
import type { ByteSource } from './byte-cursor';
import { checkpointError, quote } from './errors';
import type { OpenFile } from './open-file';

export type ZipMember = ByteSource;

const END = { signature: 0x06054b50, size: 22, maxComment: 0xffff } as const;
const END64_LOCATOR = { signature: 0x07064b50, size: 20 } as const;
const END64 = { signature: 0x06064b50, size: 56 } as const;
const ENTRY = { signature: 0x02014b50, size: 46 } as const;
const LOCAL = { signature: 0x04034b50, size: 30 } as const;
const ZIP64_EXTRA = 0x0001;
const STORED = 0;
const DEFLATED = 8;
/** Room for some 200,000 members; checkpoints have some thousand. */
const MAX_DIRECTORY_BYTES = 1 << 24;
const CHECK_CHUNK = 1 << 24;

interface Entry {
  readonly name: string;
  /** In bytes. */
  readonly nameLength: number;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
  readonly localOffset: number;
}

/**
 * What compressed members, or the tensors of a checkpoint, may unfold to: real weights hardly compress and share
 * little, so more than this only serves to exhaust memory.
 */
export const unfoldLimit = (file: OpenFile): number => (1 << 26) + 16 * file.size;

/** @returns the members by name. @throws CheckpointError if the directory is damaged. */
export function readZip(file: OpenFile): ReadonlyMap<string, ZipMember> {
  const members = new Map<string, ZipMember>();
  const entries = [...readDirectory(file)];
  checkOverlaps(file, entries);
  let unfolded = 0;
  for (const entry of entries) {
    if (members.has(entry.name)) throw checkpointError(file.path, `two members are named ${quote(entry.name)}`);
    if (entry.method === DEFLATED) unfolded += entry.size;
    members.set(entry.name, entry.method === DEFLATED ? deflatedMember(file, entry) : storedMember(file, entry));
  }
  if (unfolded > unfoldLimit(file)) {
    throw checkpointError(file.path, `its compressed members would unfold to ${unfolded} bytes from ${file.size}`);
  }
  return members;
}

/** Members that share bytes unfold one piece of a file many times. */
function checkOverlaps(file: OpenFile, entries: readonly Entry[]): void {
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.localOffset - b.localOffset)) {
    if (entry.localOffset < end) throw checkpointError(file.path, `member ${quote(entry.name)} overlaps another one`);
    end = entry.localOffset + LOCAL.size + entry.nameLength + entry.packedSize;
  }
}

function* readDirectory(file: OpenFile): Generator<Entry> {
  const { start, length, count } = findDirectory(file);
  if (length > MAX_DIRECTORY_BYTES) throw checkpointError(file.path, `its zip directory claims ${length} bytes`);
  const directory = file.read(start, length, 'the zip directory');
  let position = 0;
  for (let index = 0; index < count; index++) {
    if (position + ENTRY.size > length || directory.readUInt32LE(position) !== ENTRY.signature) {
      throw checkpointError(file.path, `its zip directory is damaged at entry ${index} of ${count}`);
    }
    const nameLength = directory.readUInt16LE(position + 28);
    const extraLength = directory.readUInt16LE(position + 30);
    const end = position + ENTRY.size + nameLength + extraLength + directory.readUInt16LE(position + 32);
    if (end > length) throw checkpointError(file.path, `its zip directory ends within entry ${index} of ${count}`);
    yield parseEntry(directory.subarray(position, end), nameLength, extraLength);
    position = end;
  }
}

function findDirectory(file: OpenFile): { start: number; length: number; count: number } {
  const tailStart = Math.max(file.size - END.size - END.maxComment, 0);
  const tail = file.read(tailStart, file.size - tailStart, 'the end of the zip file');
  const at = lastSignature(tail);
  if (at < 0) throw checkpointError(file.path, 'its zip directory is missing: the file was cut short or is damaged');
  const locatorAt = tailStart + at - END64_LOCATOR.size;
  if (locatorAt >= 0) {
    const locator = file.read(locatorAt, END64_LOCATOR.size, 'the zip64 locator');
    if (locator.readUInt32LE() === END64_LOCATOR.signature) return findDirectory64(file, number64(locator, 8));
  }
  return { count: tail.readUInt16LE(at + 10), length: tail.readUInt32LE(at + 12), start: tail.readUInt32LE(at + 16) };
}

function findDirectory64(file: OpenFile, position: number): { start: number; length: number; count: number } {
  const end = file.read(position, END64.size, 'the zip64 directory end');
  if (end.readUInt32LE() !== END64.signature) throw checkpointError(file.path, 'its zip64 directory end is damaged');
  return { count: number64(end, 32), length: number64(end, 40), start: number64(end, 48) };
}

function lastSignature(tail: Buffer): number {
  for (let at = tail.length - END.size; at >= 0; at--) {
    if (tail.readUInt32LE(at) === END.signature) return at;
  }
  return -1;
}

function parseEntry(bytes: Buffer, nameLength: number, extraLength: number): Entry {
  const wide = zip64Values(bytes.subarray(ENTRY.size + nameLength, ENTRY.size + nameLength + extraLength));
  const field = (position: number): number => {
    const value = bytes.readUInt32LE(position);
    return value === 0xffffffff ? (wide.next().value ?? value) : value;
  };
  const size = field(24);
  const packedSize = field(20);
  const localOffset = field(42);
  return {
    name: bytes.subarray(ENTRY.size, ENTRY.size + nameLength).toString('utf8'),
    nameLength,
    flags: bytes.readUInt16LE(8),
    method: bytes.readUInt16LE(10),
    crc: bytes.readUInt32LE(16),
    packedSize,
    size,
    localOffset,
  };
}

/** The 64-bit values that stand in for saturated fields, in the order of the format. */
function* zip64Values(extra: Buffer): Generator<number, undefined> {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== ZIP64_EXTRA) continue;
    const end = Math.min(at + 4 + extra.readUInt16LE(at + 2), extra.length);
    for (let value = at + 4; value + 8 <= end; value += 8) yield number64(extra, value);
  }
  return undefined;
}

const number64 = (bytes: Buffer, position: number): number => Number(bytes.readBigUInt64LE(position));

/** Where the bytes of a member start; its own header says how long the names before them are. */
function dataStart(file: OpenFile, { name, flags, method, localOffset }: Entry): number {
  const label = `member ${quote(name)}`;
  const header = file.read(localOffset, LOCAL.size, label);
  if (header.readUInt32LE() !== LOCAL.signature) throw checkpointError(file.path, `${label} has a damaged header`);
  if (flags & 1) throw checkpointError(file.path, `${label} is encrypted`);
  if (method !== STORED && method !== DEFLATED) {
    throw checkpointError(file.path, `${label} is packed by method ${method}, expected 0 (stored) or 8 (deflated)`);
  }
  return localOffset + LOCAL.size + header.readUInt16LE(26) + header.readUInt16LE(28);
}

/** Its checksum is verified over all of it before the first bytes are handed out. */
function storedMember(file: OpenFile, entry: Entry): ZipMember {
  const { name, size, packedSize } = entry;
  let start: number | undefined;
  const open = (): number => {
    if (packedSize !== size)
      throw checkpointError(file.path, `member ${quote(name)} has two sizes, ${packedSize} and ${size}`);
    const position = dataStart(file, entry);
    let crc = 0;
    for (let done = 0; done < size; done += CHECK_CHUNK) {
      crc = crc32(file.read(position + done, Math.min(CHECK_CHUNK, size - done), `member ${quote(name)}`), crc);
    }
    checkCrc(file, entry, crc);
    return position;
  };
  return {
    size,
    read: (position, length, what) => {
      checkRange(file, entry, position, length, what);
      return file.read((start ??= open()) + position, length, what);
    },
  };
}

/** Unpacked as a whole at its first use, then kept. */
function deflatedMember(file: OpenFile, entry: Entry): ZipMember {
  let unpacked: Buffer | undefined;
  return {
    size: entry.size,
    read: (position, length, what) => {
      checkRange(file, entry, position, length, what);
      unpacked ??= inflate(file, entry);
      return Buffer.from(unpacked.subarray(position, position + length));
    },
  };
}

function inflate(file: OpenFile, entry: Entry): Buffer {
  const packed = file.read(dataStart(file, entry), entry.packedSize, `member ${quote(entry.name)}`);
  const unpacked = tryInflate(packed, entry.size);
  if (unpacked?.length !== entry.size) {
    throw checkpointError(
      file.path,
      `member ${quote(entry.name)} does not unpack to the ${entry.size} bytes it claims`,
    );
  }
  checkCrc(file, entry, crc32(unpacked));
  return unpacked;
}

function tryInflate(packed: Buffer, size: number): Buffer | undefined {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(size, 1) });
  } catch {
    return undefined;
  }
}

/** PyTorch writes 0 where checksums are switched off. */
function checkCrc(file: OpenFile, { name, crc }: Entry, computed: number): void {
  if (crc === 0 || crc === computed) return;
  throw checkpointError(file.path, `member ${quote(name)} is damaged: its checksum is wrong`);
}

function checkRange(file: OpenFile, { name, size }: Entry, position: number, length: number, what: string): void {
  if (position >= 0 && length >= 0 && position + length <= size) return;
  throw checkpointError(
    file.path,
    `${what} needs bytes ${position} to ${position + length} of ${quote(name)}, which has ${size}`,
  );
}
