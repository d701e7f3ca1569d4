/** Files of `torch.save`: a zip archive since PyTorch 1.6, before that pickles and storages one after the other. */
import { ByteCursor } from './byte-cursor';
import { byteLength, elementBytes } from './dtype';
import { FormatError, namingFile, quote } from './errors';
import { openFile, type OpenFile } from './open-file';
import { unpickle } from './pickle';
import { PickleGlobal } from './pickle-values';
import { parseStorageId, StorageRef, torchConstructors, type StorageId } from './torch-pickle';
import { TorchTensor, type TorchStorage } from './torch-tensor';
import { readZip, unfoldLimit, type ZipMember } from './zip';

/** What `torch.save` was given; tensors in it are `TorchTensor`, unknown objects `PickleObject`. */
export interface TorchFile {
  readonly root: unknown;
  close(): void;
}

const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;
const MAX_PICKLE_BYTES = 1 << 26;

/**
 * Reads a PyTorch checkpoint as data, without Python and without running anything in it; the tensors stay in the
 * file until their `data` is asked for.
 * @throws CheckpointError if the file is damaged, not of `torch.save`, or names functions that would run code.
 */
export function readTorch(path: string): TorchFile {
  const file = openFile(path);
  try {
    const root = namingFile(path, () => (isZip(file) ? readArchive(file) : readLegacy(file)));
    return { root, close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

export const isZip = (file: OpenFile): boolean =>
  file.size >= 4 && file.read(0, 4, 'the first bytes').readUInt32LE() === 0x04034b50;

/** `name/data.pkl` holds the pickle, `name/data/0`, `name/data/1`.. the storages. */
function readArchive(file: OpenFile): unknown {
  const members = readZip(file);
  const pickle = [...members.keys()].find((name) => /^[^/]*\/data\.pkl$/.test(name));
  if (!pickle) throw new FormatError('it is a zip file without data.pkl, not a PyTorch checkpoint');
  const folder = pickle.slice(0, -'data.pkl'.length);
  if (members.has(`${folder}constants.pkl`)) {
    throw new FormatError('it is a TorchScript program, expected weights written by torch.save');
  }
  const byteOrder = readByteOrder(members.get(`${folder}byteorder`));
  const { size } = members.get(pickle)!;
  if (size > MAX_PICKLE_BYTES)
    throw new FormatError(`its pickle has ${size} bytes, expected at most ${MAX_PICKLE_BYTES}`);
  return readPickle(file, new ByteCursor(members.get(pickle)!), ({ key, bytes }) => {
    const member = members.get(`${folder}data/${key}`);
    if (!member) throw new FormatError(`its storage ${quote(key)} is missing`);
    if (member.size !== bytes) {
      throw new FormatError(`its storage ${quote(key)} has ${member.size} bytes, expected ${bytes}`);
    }
    return { key, bytes, byteOrder, read: (at, length) => member.read(at, length, `storage ${key}`) };
  });
}

function readByteOrder(member: ZipMember | undefined): 'LE' | 'BE' {
  const order = member?.read(0, Math.min(member.size, 8), 'the byte order').toString('latin1') ?? 'little';
  if (order !== 'little' && order !== 'big') throw new FormatError(`its byte order is ${quote(order)}`);
  return order === 'little' ? 'LE' : 'BE';
}

/** Magic number, protocol, facts on the system, the pickle, the order of the storages, then each: count, bytes. */
function readLegacy(file: OpenFile): unknown {
  const cursor = new ByteCursor({ size: Math.min(file.size, MAX_PICKLE_BYTES), read: file.read });
  if (unpickle(cursor) !== LEGACY_MAGIC) throw new FormatError('it is not a PyTorch checkpoint');
  const protocol = unpickle(cursor);
  if (protocol !== LEGACY_PROTOCOL) throw new FormatError(`its legacy format is not version ${LEGACY_PROTOCOL}`);
  const system = unpickle(cursor);
  const byteOrder = system instanceof Map && system.get('little_endian') === false ? 'BE' : 'LE';

  const starts = new Map<string, number>();
  const wanted = new Map<string, StorageId>();
  const root = readPickle(file, cursor, (id) => {
    const { key, bytes } = id;
    wanted.set(key, id);
    return { key, bytes, byteOrder, read: (at, length) => file.read(starts.get(key)! + at, length, `storage ${key}`) };
  });
  placeStorages(file, cursor, wanted, starts);
  return root;
}

function placeStorages(
  file: OpenFile,
  cursor: ByteCursor,
  wanted: ReadonlyMap<string, StorageId>,
  starts: Map<string, number>,
) {
  const keys = unpickle(cursor);
  let position = cursor.position;
  for (const key of Array.isArray(keys) ? (keys as unknown[]) : []) {
    const id = typeof key === 'string' ? wanted.get(key) : undefined;
    if (!id) throw new FormatError('it lists a storage that no tensor uses');
    if (starts.has(id.key)) throw new FormatError(`it lists storage ${quote(id.key)} twice`);
    const count = Number(file.read(position, 8, `storage ${id.key}`).readBigInt64LE());
    if (count * elementBytes(id.dtype) !== id.bytes) {
      throw new FormatError(`its storage ${quote(id.key)} has ${count} elements, expected ${id.bytes} bytes`);
    }
    starts.set(id.key, position + 8);
    position += 8 + id.bytes;
  }
  const missing = [...wanted.keys()].find((key) => !starts.has(key));
  if (missing !== undefined) throw new FormatError(`its storage ${quote(missing)} is missing`);
  if (position > file.size) throw new FormatError(`its storages end at byte ${position}, the file at ${file.size}`);
}

/** Unpickles with one `TorchStorage` for every key, however many tensors look into it. */
function readPickle(file: OpenFile, cursor: ByteCursor, locate: (id: StorageId) => TorchStorage): unknown {
  const storages = new Map<string, TorchStorage>();
  let unfolded = 0;
  const counted = (build: (args: readonly unknown[]) => unknown) => (args: readonly unknown[]) => {
    const value = build(args);
    if (value instanceof TorchTensor) unfolded += byteLength(value);
    if (unfolded > unfoldLimit(file)) {
      throw new FormatError(`its tensors claim ${unfolded} bytes, far more than the ${file.size} of the file`);
    }
    return value;
  };
  return unpickle(cursor, {
    constructors: new Map([...torchConstructors].map(([name, build]) => [name, counted(build)])),
    persistentLoad(id) {
      if (Array.isArray(id) && id[0] === 'module' && id[1] instanceof PickleGlobal) return id[1];
      const parsed = parseStorageId(id);
      const known = storages.get(parsed.key);
      if (known && known.bytes !== parsed.bytes)
        throw new FormatError(`its storage ${quote(parsed.key)} has two sizes`);
      const storage = known ?? locate(parsed);
      storages.set(parsed.key, storage);
      return new StorageRef(storage, parsed.dtype, parsed.begin);
    },
  });
}
