/** Builds zip files and pickles byte by byte, for files that no proper writer would write. */
import { crc32, deflateRawSync } from 'node:zlib';

interface CraftedMember {
  readonly name: string;
  readonly data: Buffer;
  readonly deflate?: boolean;
  /** Fields of the directory that say something else than the truth. */
  readonly claims?: {
    readonly size?: number;
    readonly method?: number;
    readonly flags?: number;
    readonly crc?: number;
  };
}

/** A zip archive; members are stored unless they ask for compression. */
export function zip(members: readonly CraftedMember[], options: { readonly zip64?: boolean } = {}): Buffer {
  const body: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, deflate, claims = {} } of members) {
    const packed = deflate ? deflateRawSync(data) : data;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(name.length, 26);
    body.push(local, Buffer.from(name), packed);

    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(claims.flags ?? 0, 8);
    entry.writeUInt16LE(claims.method ?? (deflate ? 8 : 0), 10);
    entry.writeUInt32LE(claims.crc ?? crc32(data), 16);
    entry.writeUInt16LE(name.length, 28);
    const size = claims.size ?? data.length;
    const extra = options.zip64 ? wide([0x0001 | (24 << 16)], [size, packed.length, offset]) : Buffer.alloc(0);
    entry.writeUInt16LE(extra.length, 30);
    for (const [position, value] of [
      [20, packed.length],
      [24, size],
      [42, offset],
    ] as const) {
      entry.writeUInt32LE(options.zip64 ? 0xffffffff : value, position);
    }
    directory.push(entry, Buffer.from(name), extra);
    offset += 30 + name.length + packed.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(options.zip64 ? 0xffff : members.length, 10);
  end.writeUInt32LE(options.zip64 ? 0xffffffff : central.length, 12);
  end.writeUInt32LE(options.zip64 ? 0xffffffff : offset, 16);
  const counts = [members.length, members.length, central.length, offset];
  const end64 = Buffer.concat([wide([0x06064b50], [44, 0]), wide([0], counts)]);
  const locator = wide([0x07064b50, 0], [offset + central.length], [1]);
  return Buffer.concat([...body, central, ...(options.zip64 ? [end64, locator] : []), end]);
}

function wide(head: readonly number[], values: readonly number[], tail: readonly number[] = []): Buffer {
  const bytes = Buffer.alloc(4 * head.length + 8 * values.length + 4 * tail.length);
  head.forEach((value, index) => bytes.writeUInt32LE(value, 4 * index));
  values.forEach((value, index) => bytes.writeBigUInt64LE(BigInt(value), 4 * head.length + 8 * index));
  tail.forEach((value, index) => bytes.writeUInt32LE(value, bytes.length - 4 * (tail.length - index)));
  return bytes;
}

type Piece = string | number | Buffer;

/** A pickle from opcodes (text) and bytes, with protocol and stop around them. */
export const pickle = (...pieces: readonly Piece[]): Buffer =>
  Buffer.concat([Buffer.from([0x80, 2]), ...pieces.map(toBytes), Buffer.from('.')]);

const toBytes = (piece: Piece): Buffer =>
  typeof piece === 'number' ? Buffer.from([piece]) : typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;

export const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  const head = Buffer.from([0x58, 0, 0, 0, 0]);
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
};

export const integer = (value: number): Buffer => {
  const bytes = Buffer.from([0x4a, 0, 0, 0, 0]);
  bytes.writeInt32LE(value, 1);
  return bytes;
};

export const long = (value: bigint): Buffer => {
  const bytes = Buffer.from([0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
  bytes.writeBigInt64LE(value, 2);
  return bytes;
};

export const name = (module: string, member: string): string => `c${module}\n${member}\n`;

export const tuple = (...items: readonly Piece[]): Buffer =>
  Buffer.concat([Buffer.from('('), ...items.map(toBytes), Buffer.from('t')]);

export const list = (...items: readonly Piece[]): Buffer =>
  Buffer.concat([Buffer.from(']('), ...items.map(toBytes), Buffer.from('e')]);

export const call = (module: string, member: string, ...args: readonly Piece[]): Buffer =>
  Buffer.concat([Buffer.from(name(module, member)), tuple(...args), Buffer.from('R')]);

export interface CraftedTensor {
  readonly type?: string;
  readonly key?: string;
  readonly count?: number | bigint;
  readonly offset?: number | bigint;
  readonly shape?: readonly (number | bigint)[];
  readonly stride?: readonly (number | bigint)[];
}

const whole = (value: number | bigint): Buffer => (typeof value === 'bigint' ? long(value) : integer(value));

/** A call of `_rebuild_tensor_v2`; by default two float32 elements of storage 0. */
export const tensor = ({
  type = 'FloatStorage',
  key = '0',
  count = 2,
  offset = 0,
  shape = [2],
  stride = [1],
}: CraftedTensor): Buffer => {
  const id = tuple(text('storage'), name('torch', type), text(key), text('cpu'), whole(count));
  const sizes = tuple(...shape.map(whole));
  return call(
    'torch._utils',
    '_rebuild_tensor_v2',
    id,
    'Q',
    whole(offset),
    sizes,
    tuple(...stride.map(whole)),
    'N',
    'N',
  );
};

/** A dict of the given names and values. */
export const dict = (entries: Readonly<Record<string, Piece>>): Buffer =>
  Buffer.concat([
    Buffer.from('}('),
    ...Object.entries(entries).flatMap(([key, value]) => [text(key), toBytes(value)]),
    Buffer.from('u'),
  ]);

/** An archive as `torch.save` writes it: the pickle and its storages. */
export const torchZip = (
  data: Buffer,
  storages: Readonly<Record<string, Buffer>> = { 0: Buffer.alloc(8) },
  options: { readonly zip64?: boolean; readonly extra?: readonly CraftedMember[]; readonly deflate?: boolean } = {},
): Buffer => {
  const { extra = [], deflate = false, ...rest } = options;
  const members = Object.entries(storages).map(([key, bytes]) => ({ name: `m/data/${key}`, data: bytes, deflate }));
  return zip([{ name: 'm/data.pkl', data, deflate }, ...extra, ...members], rest);
};
