/** Files damaged at random places are read or refused in one line, in bounded time and memory. */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from './checkpoint';
import { CheckpointError } from './errors';
import { writeSafetensors } from './safetensors';
import { call, dict, name, pickle, tensor, text, torchZip, tuple, zip } from './test-files/craft';
import { readTorch } from './torch-file';
import type { TorchTensor } from './torch-tensor';

/** 2,000 damaged or hostile files from a fixed seed; each must be read or refused by one line, soon and in little memory. */
const FILES = 2000;

type Random = (below: number) => number;

/** mulberry32 */
function seeded(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below;
  };
}

let folder: string;
let sources: Buffer[];
let torchPickle: Buffer;
let storages: Record<string, Buffer>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
  const fixture = (file: string) => readFileSync(join(__dirname, '../fixtures', file));
  const weights = new Float32Array([1, 2, 3, 4]);
  const path = join(folder, 'source.safetensors');
  const two = [['w', { dtype: 'float32', shape: [2, 2], data: weights }], ['b', { dtype: 'bool', shape: [1], data: new Uint8Array(1) }]] as const; // prettier-ignore
  writeSafetensors(path, two, { epoch: '1' });
  torchPickle = pickle(
    dict({
      model: dict({ w: tensor({ shape: [2, 1], stride: [1, 2] }), v: tensor({ key: '1', type: 'LongStorage' }) }),
      config: Buffer.concat([
        Buffer.from(`${name('yacs.config', 'CfgNode')})\x81`, 'latin1'),
        text('LR'),
        text('1'),
        Buffer.from('s'),
      ]),
      order: call('collections', 'OrderedDict', tuple(tuple(text('a'), text('b')))),
    }),
  );
  storages = { 0: Buffer.alloc(8, 7), 1: Buffer.alloc(16, 1) };
  sources = [
    fixture('tiny_zip.pth'),
    fixture('tiny_legacy.pth'),
    readFileSync(path),
    torchZip(torchPickle, storages, { deflate: true }),
    torchZip(torchPickle, storages, { zip64: true }),
  ];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const EXTREMES = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];

const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random(items.length))]!;

function truncated(bytes: Buffer, random: Random): Buffer {
  return bytes.subarray(0, random(bytes.length));
}

function flipped(bytes: Buffer, random: Random): Buffer {
  const result = Buffer.from(bytes);
  for (let count = 1 + random(12); count > 0; count--) result[Math.floor(random(result.length))]! ^= 1 << random(8);
  return result;
}

function misnumbered(bytes: Buffer, random: Random): Buffer {
  const result = Buffer.from(bytes);
  const width = pick(random, [2, 4, 8]);
  const field = Buffer.alloc(8);
  field.writeBigUInt64LE(pick(random, EXTREMES));
  field.copy(result, Math.floor(random(result.length - width)), 0, width);
  return result;
}

function spliced(bytes: Buffer, random: Random): Buffer {
  const [a, b, c] = [random(bytes.length), random(bytes.length), random(bytes.length)]
    .map(Math.floor)
    .sort((x, y) => x - y);
  return pick(random, [
    Buffer.concat([bytes.subarray(0, a), bytes.subarray(b)]),
    Buffer.concat([bytes.subarray(0, b), bytes.subarray(a)]),
    Buffer.concat([bytes.subarray(0, a), bytes.subarray(b, c), bytes.subarray(a, b), bytes.subarray(c)]),
  ]);
}

const damage = [truncated, flipped, misnumbered, spliced];

/** Damages the file as it is; checksums catch much of it. */
const damagedFile = (random: Random): Buffer => pick(random, damage)(pick(random, sources), random);

/** Damages the pickle, then wraps it in a flawless archive. */
const damagedPickle = (random: Random): Buffer => torchZip(pick(random, damage)(torchPickle, random), storages);

/** Valid opcodes in an order that means nothing. */
function randomPickle(random: Random): Buffer {
  const pieces: Buffer[] = ['N', '(', ')', ']', '}', 't', 'l', 'd', 'u', 's', 'a', 'e', 'R', 'b', 'Q', 'q\0', 'h\0', '0', '1', '2', '\x81', '\x85', '\x86', '\x87', '\x8f', '\x90', '\x91', '\x92', '\x93', '\x94'].map((code) => Buffer.from(code, 'latin1')); // prettier-ignore
  pieces.push(
    text('model'),
    text('w'),
    tensor({}),
    Buffer.from(name('collections', 'OrderedDict')),
    Buffer.from(name('m', 'f')),
  );
  const body = Array.from({ length: 5 + random(200) }, (): Buffer => pick(random, pieces));
  return torchZip(pickle(...body), storages);
}

function hugeTensor(random: Random): Buffer {
  const size = () => pick(random, [1n, 2n, 2n ** 31n, 2n ** 40n, 2n ** 62n, -1n]);
  const fields = {
    count: size(),
    offset: size(),
    shape: Array.from({ length: random(4) }, size),
    stride: Array.from({ length: random(4) }, size),
  };
  return torchZip(pickle(dict({ model: dict({ w: tensor(fields) }) })), storages);
}

function deepNesting(random: Random): Buffer {
  const depth = Math.floor(random(10_000));
  const [open, close] = pick(random, [[']', 'a'], [')', '\x85'], ['(', 't'], ['}', '\x85'], ['{"a":', '}'], ['[', ']']] as const); // prettier-ignore
  if (open.length > 1 || open === '[') {
    const header = Buffer.from(`{"w":${open.repeat(depth)}1${close.repeat(depth)}}`);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([length, header]);
  }
  const nested = Buffer.concat([Buffer.from(open.repeat(depth + 1)), Buffer.from(close.repeat(depth), 'latin1')]);
  return torchZip(pickle(dict({ model: dict({ w: nested }) })), storages);
}

function zipBomb(random: Random): Buffer {
  const zeros = Buffer.alloc(1 << (10 + random(9)));
  const claims = pick(random, [{}, { size: 100 }, { size: 0xfffffff0 }, { method: 0 }]);
  const count = 1 + Math.floor(random(8));
  const members = Array.from({ length: count }, (_, index) => ({
    name: `m/data/${index}`,
    data: zeros,
    deflate: true,
    claims,
  }));
  const bomb = dict({ w: tensor({ count: zeros.length / 4, shape: [zeros.length / 4] }) });
  const data = random(2) < 1 ? zeros : pickle(bomb);
  return zip([{ name: 'm/data.pkl', data, deflate: true, claims: data === zeros ? claims : {} }, ...members]);
}

function hostileCall(random: Random): Buffer {
  const code = `touch ${join(folder, 'witness')}`;
  const [module, member] = pick(random, [['os', 'system'], ['posix', 'system'], ['subprocess', 'call'], ['builtins', 'eval'], ['builtins', 'exec'], ['__builtin__', 'eval']] as const); // prettier-ignore
  const attack = pick(random, [
    call(module, member, text(code)),
    Buffer.concat([Buffer.from(name(module, member)), tuple(text(code)), Buffer.from('\x81', 'latin1')]),
    Buffer.from(`(${`S'${code}'\n`}i${module}\n${member}\n`),
    Buffer.concat([Buffer.from('('), Buffer.from(name(module, member)), text(code), Buffer.from('o')]),
    Buffer.concat([text(module), text(member), Buffer.from('\x93', 'latin1'), tuple(text(code)), Buffer.from('R')]),
  ]);
  const data = pickle(dict({ model: dict({ attack, w: tensor({}) }) }));
  return random(4) < 1 ? data : torchZip(data, storages);
}

function damagedHeader(random: Random): Buffer {
  const source = sources[2]!;
  const length = Number(source.readBigUInt64LE());
  const header = pick(random, damage)(source.subarray(8, 8 + length), random);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([size, header, source.subarray(8 + length)]);
}

/** Reads all there is. @returns what was wrong, '' if nothing. */
function readEverything(path: string): string {
  try {
    const file = openCheckpoint(path);
    try {
      for (const { data } of file.tensors.values()) expect(data.byteLength).toBeLessThan(1 << 28);
    } finally {
      file.close();
    }
    return '';
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    return error.message;
  }
}

describe('damaged and hostile files', () => {
  const kinds = {
    damagedFile,
    damagedPickle,
    randomPickle,
    hugeTensor,
    deepNesting,
    zipBomb,
    hostileCall,
    damagedHeader,
  };
  const share = FILES / Object.keys(kinds).length;

  it.each(Object.entries(kinds))(`are read or refused in one line: ${share} of %s`, (_, make) => {
    const refused = { count: 0 };
    for (let index = 0; index < share; index++) {
      const path = join(folder, 'file');
      writeFileSync(path, make(seeded(index)));
      const message = readEverything(path);
      if (message !== '') refused.count++;
      expect(message).not.toMatch(/[\n\r]/);
      expect(message.length).toBeLessThan(800);
    }
    expect(refused.count).toBeGreaterThan(share / 4);
    expect(existsSync(join(folder, 'witness'))).toBe(false);
  });

  it('refuses every file that calls what would run code', () => {
    for (let index = 0; index < share; index++) {
      const path = join(folder, 'file');
      writeFileSync(path, hostileCall(seeded(index)));
      expect(readEverything(path)).toMatch(/: refused, it would call "[\w.]+" when opened in Python$/);
    }
    expect(readdirSync(folder).sort()).toEqual(['file', 'source.safetensors']);
  });

  it('starts from files that are read when nothing is done to them', () => {
    for (const source of sources) {
      const path = join(folder, 'file');
      writeFileSync(path, source);
      expect(readEverything(path)).toBe('');
    }
    const file = readTorch(join(folder, 'file'));
    expect(((file.root as Map<string, Map<string, unknown>>).get('model')!.get('w') as TorchTensor).shape).toEqual([
      2, 1,
    ]);
    file.close();
  });
});
