/** Files made to exhaust memory or time, and checkpoints that hold more than weights. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from './checkpoint';
import { parseSafetensors } from './parse-safetensors';
import { call, dict, list, name, pickle, tensor, text, torchZip, tuple, zip } from './test-files/craft';

/** Files made to take minutes, gigabytes or the stack; every one is read or refused by counting, soon. */

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'hostile-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Reads every tensor. @returns the names, or what was wrong. */
function read(bytes: Buffer): string[] | string {
  const path = join(folder, 'file');
  writeFileSync(path, bytes);
  try {
    const file = openCheckpoint(path);
    try {
      for (const { data } of file.tensors.values()) expect(data.byteLength).toBeLessThan(1 << 20);
      return [...file.tensors.keys()];
    } finally {
      file.close();
    }
  } catch (error) {
    const { message } = error as Error;
    expect(message.startsWith(`${path}: `)).toBe(true);
    expect(message).not.toMatch(/[\n\r]/);
    return message.slice(path.length + 2);
  }
}

const binary = (codes: string): Buffer => Buffer.from(codes, 'latin1');
const w = tensor({});
const model = (...values: Buffer[]): Buffer =>
  dict({ w, ...Object.fromEntries(values.map((value, i) => [`x${i}`, value])) });
/** Compressed, as 20 kB of such a file are megabytes of opcodes. */
const torch = (...pieces: (Buffer | string)[]): Buffer =>
  torchZip(pickle(...pieces), { 0: Buffer.alloc(8) }, { deflate: true });

function safetensors(header: object | string, data = Buffer.alloc(16)): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}
const one = { dtype: 'F32', shape: [4], data_offsets: [0, 16] };

describe('pickles that swell', () => {
  it.each<[string, Buffer]>([
    ['bytes', Buffer.alloc(3 * 1_300_000, 'C\x01a')],
    ['empty bytes', Buffer.alloc(2 * 3_900_000, 'C\0')],
    ['names', Buffer.alloc(3 * 3_900_000, 'c\n\n')],
    ['memo entries', Buffer.concat([binary('N'), Buffer.alloc(3_900_000, binary('\x94'))])],
    ['dicts', Buffer.alloc(1_000_000, '}')],
    ['sets', Buffer.alloc(1_000_000, binary('\x8f'))],
    ['objects', Buffer.alloc(8 * 490_000, 'ca\nB\n)R')],
  ])('of many %s are refused for their memory', (_, body) => {
    expect(read(torch('(', body, 'l'))).toBe("the pickle's values need more than 134217728 bytes");
  });

  it('of many opcodes are refused for their steps', () => {
    expect(read(torch('(', Buffer.alloc(4_100_000, 'N'), 'l'))).toBe('the pickle takes more than 4000000 steps');
  });

  it('of storages by the hundred thousand are no weights', () => {
    const id = Buffer.concat([
      tuple(text('storage'), name('torch', 'FloatStorage'), text('0'), text('cpu'), 'K\x02'),
      Buffer.from('Q'),
    ]);
    const body = Buffer.alloc(id.length * 100_000, id);
    expect(read(torch('(', body, 'l'))).toMatch(/it holds a list|need more than/);
  });
});

describe('pickles that go deep or in circles', () => {
  const deep = Buffer.concat([Buffer.from(')'), Buffer.alloc(900_000, binary('\x85'))]);
  const circle = binary(']q\x01h\x01a');

  it('are data where they are values', () => {
    expect(read(torch(model(deep.subarray(0, 400_000))))).toEqual(['w']);
    expect(read(torch(model(circle)))).toEqual(['w']);
    expect(read(torch(deep))).toMatch(/expected a dict of tensors|need more than/);
  });

  it('may be keys, as in Python', () => {
    const keyed = (key: Buffer): Buffer => Buffer.concat([Buffer.from('}('), text('w'), w, key, Buffer.from('Nu')]);
    expect(read(torch(dict({ model: keyed(circle) })))).toBe('it holds no dict of tensors');
    expect(read(torch(keyed(deep.subarray(0, 300_000))))).toBe('it holds no dict of tensors');
    expect(read(torch(Buffer.concat([Buffer.from('}('), text('model'), model(), circle, Buffer.from('Nu')])))).toEqual([
      'w',
    ]);
  });

  it('look through a dict once that stands in a hundred thousand places', () => {
    const numbered = (letter: string): Buffer[] =>
      Array.from({ length: 100_000 }, (_, i) => text(letter + i.toString(16).padStart(5, '0')));
    const inner = Buffer.concat([
      Buffer.from('}('),
      ...numbered('a').flatMap((key) => [key, Buffer.from('N')]),
      Buffer.from('uq\x01'),
    ]);
    const many = numbered('k').flatMap((key) => [key, Buffer.from('h\x01')]);
    const root = Buffer.concat([Buffer.from('}('), text('w'), w, text('a'), inner, ...many, Buffer.from('u')]);
    expect(read(torch(root))).toEqual(['w']);
  });
});

describe('what training code keeps beside its weights', () => {
  it('is left alone: optimizer state, arguments, classes of anyone', () => {
    const made = (module: string, type: string): Buffer =>
      Buffer.concat([Buffer.from(name(module, type)), binary(')\x81'), dict({ lr: text('1e-4') }), Buffer.from('b')]);
    const state = Buffer.concat([Buffer.from('}('), binary('K\0'), dict({ exp_avg: w, step: w }), Buffer.from('u')]);
    const root = dict({
      model: dict({ w }),
      optimizer: dict({ state, param_groups: list(dict({ lr: text('0.1'), params: list('K\0') })) }),
      lr_scheduler: made('torch.optim.lr_scheduler', 'StepLR'),
      args: made('argparse', 'Namespace'),
      config: made('mmcv.utils.config', 'ConfigDict'),
      device: call('torch', 'device', text('cuda')),
      best: call('numpy.core.multiarray', 'scalar', name('numpy', 'dtype'), text('x')),
    });
    expect(read(torch(root))).toEqual(['w']);
  });
});

describe('archives', () => {
  const zeros = Buffer.alloc(1 << 16);

  it('whose members share bytes are refused', () => {
    const bytes = zip([
      { name: 'm/data.pkl', data: pickle(model()) },
      { name: 'm/data/0', data: Buffer.alloc(8) },
    ]);
    const directory = bytes.lastIndexOf(Buffer.from('504b0102', 'hex'));
    bytes.writeUInt32LE(0, directory + 42);
    expect(read(bytes)).toBe('member "m/data/0" overlaps another one');
  });

  it('that unfold to far more than they are, or to another size than they say, are refused', () => {
    const members = Array.from({ length: 1200 }, (_, i) => ({ name: `m/data/${i}`, data: zeros, deflate: true }));
    const data = pickle(model());
    expect(read(zip([{ name: 'm/data.pkl', data }, ...members]))).toMatch(/^its compressed members would unfold to/);
    const claims = { size: data.length + 1 };
    expect(read(zip([{ name: 'm/data.pkl', data, deflate: true, claims }]))).toMatch(
      /^member "m\/data.pkl" does not unpack to the \d+ bytes it claims$/,
    );
  });
});

describe('headers of safetensors', () => {
  it('are read in one pass, whatever stands in their texts', () => {
    const unclosed = safetensors(`{"${'\\"'.repeat(1_000_000)}`);
    expect(read(unclosed)).toBe('not a valid safetensors file: the header is not UTF-8 JSON');
    expect(() => parseSafetensors(unclosed, 'x')).toThrow(
      'x: not a valid safetensors file: the header is not UTF-8 JSON',
    );
    expect(read(safetensors({ ['{[{[{['.repeat(1000)]: one }))).toHaveLength(1);
    expect(read(safetensors(`{${'{'.repeat(1_000_000)}`))).toMatch(/nests deeper than 3 levels$/);
  });

  it('may have long names and many wrappers', () => {
    expect(read(safetensors({ ['x'.repeat(15_000_000)]: one }))).toHaveLength(1);
    const [deepest] = read(safetensors({ [`${'model.'.repeat(600_000)}w`]: one })) as string[];
    expect(deepest!.length).toBe(6 * (600_000 - 8) + 1);
  });

  it('are refused with a name twice, or with more axes than a tensor can have', () => {
    const json = JSON.stringify(one);
    expect(read(safetensors(`{"w":${json},"w":${json}}`))).toBe('not a valid safetensors file: a name appears twice');
    const shape = Array.from({ length: 65 }, () => 1);
    expect(read(safetensors({ w: { ...one, shape } }))).toMatch(/"w" has no list of sizes as its shape$/);
  });
});

describe('names that JavaScript gives a meaning', () => {
  it('are names', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const entries = names.flatMap((key) => [text(key), w]);
    expect(read(torch(Buffer.concat([Buffer.from('}('), ...entries, Buffer.from('u')])))).toEqual(names);
    const odd = (type: string): Buffer => dict({ w: tensor({ type }) });
    expect(read(torch(odd('constructor')))).toMatch(/is of type "torch.constructor", expected one of/);
  });
});
