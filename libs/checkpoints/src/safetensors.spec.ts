/** Safetensors files written and read back: layout, alignment, checksums, errors. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dtypes, type DType, type StoredTensor } from './dtype';
import { readSafetensors, writeSafetensors } from './safetensors';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'safetensors-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const float32 = (shape: number[], ...values: number[]): StoredTensor => ({
  dtype: 'float32',
  shape,
  data: new Float32Array(values),
});

function writeRaw(header: string, data = Buffer.alloc(0), length = Buffer.byteLength(header)): string {
  const path = join(folder, 'raw.safetensors');
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(length));
  writeFileSync(path, Buffer.concat([size, Buffer.from(header), data]));
  return path;
}

const failure = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('expected a failure');
};

describe('writeSafetensors', () => {
  it('lays out header, padding and data as the format says', () => {
    const path = join(folder, 'a.safetensors');
    writeSafetensors(path, [['w', float32([2], 1, -2)]], { format: 'pt' });
    const bytes = readFileSync(path);
    const length = Number(bytes.readBigUInt64LE());
    const header = bytes.subarray(8, 8 + length).toString();
    expect(header.trimEnd()).toBe(
      '{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
    );
    expect(length % 8).toBe(0);
    expect([...bytes.subarray(8 + length)]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
  });

  it('gives back every dtype bit for bit, in the given order, with the metadata', () => {
    const path = join(folder, 'all.safetensors');
    const tensors = (Object.keys(dtypes) as DType[]).reverse().map((dtype, index) => {
      const data = new dtypes[dtype].array(6);
      new Uint8Array(data.buffer).forEach((_, i, bytes) => (bytes[i] = dtype === 'bool' ? i % 2 : i * 37 + index));
      return [dtype, { dtype, shape: [2, 3], data }] as const;
    });
    const metadata = { epoch: '3', 'a "quoted" key': 'line\nbreak' };
    writeSafetensors(path, [...tensors, ['empty', float32([0, 4])], ['scalar', float32([], 0.1)]], metadata);

    const file = readSafetensors(path);
    expect(file.metadata).toEqual(metadata);
    expect([...file.tensors.keys()]).toEqual([...tensors.map(([name]) => name), 'empty', 'scalar']);
    for (const [name, tensor] of tensors) expect(file.tensors.get(name)).toMatchObject(tensor);
    expect(file.tensors.get('empty')).toMatchObject({ shape: [0, 4], data: new Float32Array() });
    expect(file.tensors.get('scalar')).toMatchObject({ shape: [], data: new Float32Array([0.1]) });
    file.close();
    expect(failure(() => file.tensors.get('scalar')!.data)).toContain('after the file was closed');
  });

  it('starts every tensor at a multiple of its element size', () => {
    const path = join(folder, 'aligned.safetensors');
    const flag: StoredTensor = { dtype: 'bool', shape: [3], data: new Uint8Array([1, 0, 1]) };
    const count: StoredTensor = { dtype: 'int64', shape: [], data: new BigInt64Array([7n]) };
    writeSafetensors(path, [['flag', flag], ['w', float32([1], 5)], ['count', count]]); // prettier-ignore
    const bytes = readFileSync(path);
    const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString());
    expect(Object.keys(header)).toEqual(['flag', 'w', 'count']);
    expect([header.count, header.w, header.flag].map((entry) => entry.data_offsets)).toEqual([
      [0, 8],
      [8, 12],
      [12, 15],
    ]);
  });

  it('reads each tensor once, when its turn comes', () => {
    const reads: string[] = [];
    const lazy = (name: string) =>
      [
        name,
        {
          dtype: 'float32' as const,
          shape: [1],
          get data() {
            reads.push(name);
            return new Float32Array(1);
          },
        },
      ] as const;
    writeSafetensors(join(folder, 'lazy.safetensors'), [lazy('a'), lazy('b')]);
    expect(reads).toEqual(['a', 'b']);
  });

  it('keeps the old file and leaves nothing behind when a tensor fails half way', () => {
    const path = join(folder, 'kept.safetensors');
    writeSafetensors(path, [['w', float32([1], 1)]]);
    const before = readFileSync(path);
    const wrong = { ...float32([3], 1, 2), shape: [3] };
    const message = failure(() => writeSafetensors(path, [['a', float32([1], 9)], ['w', wrong]])); // prettier-ignore
    expect(message).toBe(`${path}: w is float32 [3], received a Float32Array of 2`);
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(folder)).toEqual(['kept.safetensors']);
  });

  it('says in one line why it cannot write, and harms nothing', () => {
    const missing = join(folder, 'missing', 'a.safetensors');
    expect(failure(() => writeSafetensors(missing, []))).toBe(`${missing}: cannot be written: no such file or folder`);
    mkdirSync(join(folder, 'folder'));
    expect(failure(() => writeSafetensors(join(folder, 'folder'), []))).toContain('cannot be written: it is a folder');
    expect(readdirSync(folder)).toEqual(['folder']);
  });

  it('survives a full disk with the old file whole', () => {
    // A file size limit stops the write part way, as a full disk does.
    const path = join(folder, 'full.safetensors');
    writeSafetensors(path, [['w', float32([1], 1)]]);
    const before = readFileSync(path);
    const script = `
      require('node:process').on('SIGXFSZ', () => {});
      const { writeSafetensors } = require(${JSON.stringify(join(__dirname, 'safetensors.ts'))});
      try {
        writeSafetensors(${JSON.stringify(path)}, [['w', { dtype: 'uint8', shape: [4000000], data: new Uint8Array(4000000) }]]);
      } catch (error) {
        console.log(error.message);
      }`;
    const node = `exec node -C @pyramidal/source --import tsx -e "$SCRIPT"`;
    const output = execFileSync('bash', ['-c', `ulimit -f 1000; ${node}`], {
      env: { ...process.env, SCRIPT: script, TSX_DISABLE_CACHE: '1' },
      encoding: 'utf8',
    });
    expect(output.trim()).toBe(
      `${path}: cannot be written: the file would be too large for the file system; the file that is there was not touched`,
    );
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(folder)).toEqual(['full.safetensors']);
  });

  it('notes checksums where that is asked for, and finds out what was changed since', () => {
    const path = join(folder, 'sums.safetensors');
    const flag: StoredTensor = { dtype: 'bool', shape: [3], data: new Uint8Array([1, 0, 1]) };
    writeSafetensors(path, [['flag', flag], ['w', float32([2], 1, 2)]], { crc: 'a' }, { checksums: true }); // prettier-ignore
    const bytes = readFileSync(path);
    expect(bytes.subarray(8).toString('latin1')).toMatch(
      /^{"__metadata__":{"crc32":"(?!0{16})[0-9a-f]{16}","crc":"a"}/,
    );
    const file = readSafetensors(path);
    expect(file.metadata).toEqual({ crc: 'a' });
    expect(file.tensors.get('flag')!.data).toEqual(flag.data);
    expect(file.tensors.get('w')!.data).toEqual(Float32Array.of(1, 2));
    bytes.fill(0, bytes.length - 5);
    writeFileSync(path, bytes);
    const damaged = readSafetensors(path);
    expect(failure(() => damaged.tensors.get('w')!.data)).toBe(
      `${path}: is damaged: w does not have the checksum that it was written with`,
    );
  });

  it('follows no symbolic link', () => {
    const target = join(folder, 'target.safetensors');
    const link = join(folder, 'last.safetensors');
    writeSafetensors(target, [['w', float32([1], 1)]]);
    symlinkSync(target, link);
    expect(failure(() => writeSafetensors(link, [['w', float32([1], 2)]]))).toBe(
      `${link}: cannot be written: it is a symbolic link, expected a file or nothing`,
    );
    expect(readSafetensors(target).tensors.get('w')!.data).toEqual(new Float32Array([1]));
  });

  it('refuses a name twice and the name of the metadata', () => {
    const path = join(folder, 'names.safetensors');
    const tensor = float32([1], 1);
    expect(failure(() => writeSafetensors(path, [['w', tensor], ['w', tensor]]))).toContain('two tensors are named w'); // prettier-ignore
    expect(failure(() => writeSafetensors(path, [['__metadata__', tensor]]))).toContain('__metadata__');
  });
});

describe('readSafetensors', () => {
  const entry = (fields: object) =>
    JSON.stringify({ w: { dtype: 'F32', shape: [1], data_offsets: [0, 4], ...fields } });

  it.each([
    ['no header', '', 0, 'the header is not UTF-8 JSON'],
    ['a list', '[]', 0, 'the header is not a JSON object'],
    ['broken JSON', '{"w":', 0, 'the header is not UTF-8 JSON'],
    ['nested JSON', '['.repeat(100_000), 0, 'the header nests deeper than 3 levels'],
    ['an unknown dtype', entry({ dtype: 'F31' }), 4, '"w" has dtype "F31", expected one of F64, I64'],
    ['a negative size', entry({ shape: [-1] }), 4, '"w" has no list of sizes as its shape'],
    ['a fraction as size', entry({ shape: [0.5] }), 4, '"w" has no list of sizes as its shape'],
    ['sizes beyond counting', entry({ shape: [2 ** 40, 2 ** 40] }), 4, 'but occupies bytes 0 to 4'],
    ['a length unlike the shape', entry({ shape: [2] }), 4, '"w" is "float32 [2]" but occupies bytes 0 to 4'],
    ['one offset', entry({ data_offsets: [4] }), 4, '"w" has no pair of data_offsets'],
    ['a gap', entry({ data_offsets: [4, 8] }), 8, '"w" starts at byte 66, expected 62'],
    ['bytes left over', entry({}), 5, 'the tensors end at byte 66, the file at 67'],
    ['bytes missing', entry({}), 3, 'the tensors end at byte 66, the file at 65'],
    ['numbers as metadata', '{"__metadata__":{"epoch":1}}', 0, '__metadata__ must map names to strings'],
  ])('names the fault of a file with %s', (_, header, dataBytes, problem) => {
    const path = writeRaw(header, Buffer.alloc(dataBytes));
    const message = failure(() => readSafetensors(path));
    expect(message.startsWith(`${path}: not a valid safetensors file: `)).toBe(true);
    expect(message).toContain(problem);
    expect(message).not.toContain('\n');
  });

  it('names the fault of header lengths that cannot be', () => {
    expect(failure(() => readSafetensors(writeRaw('{}', undefined, 3)))).toContain('does not fit a file of 10');
    expect(failure(() => readSafetensors(writeRaw('{}', undefined, 1e12)))).toContain('beyond the limit');
    const path = join(folder, 'short.safetensors');
    writeFileSync(path, 'abc');
    expect(failure(() => readSafetensors(path))).toContain('expected at least 8 bytes, received 3');
  });

  it('names a missing file and a folder', () => {
    const path = join(folder, 'none.safetensors');
    expect(failure(() => readSafetensors(path))).toBe(`${path}: cannot be opened: no such file or folder`);
    expect(failure(() => readSafetensors(folder))).toBe(`${folder}: is a folder, expected a file`);
  });

  it('reads tensors at positions that are no multiple of the element size', () => {
    const header =
      '{"f":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}';
    const data = Buffer.from([1, 0, 0, 0x80, 0x3f]);
    expect(readSafetensors(writeRaw(header, data)).tensors.get('w')!.data).toEqual(new Float32Array([1]));
  });

  it('takes a tensor named __proto__ for what it is', () => {
    const header = '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}';
    expect([...readSafetensors(writeRaw(header, Buffer.from([5]))).tensors.keys()]).toEqual(['__proto__']);
  });
});
