import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readText } from './read-file';
import { readJson, readJsonLines, type Schema } from './read-records';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'read-'));
  path = join(folder, 'file.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Point {
  readonly x: number;
}

/** In the form of zod's. */
const point: Schema<Point> = {
  safeParse(value) {
    const x = (value as Partial<Point> | null | undefined)?.x;
    if (typeof x === 'number') return { success: true, data: { x } };
    const message = `expected number, received ${typeof x}`;
    return { success: false, error: { issues: [{ path: ['x'], message }] } };
  },
};

describe('readText', () => {
  it('reads regular files alone, and never waits', () => {
    expect(() => readText(path)).toThrow(`${path}: cannot be opened: no such file or folder`);
    expect(() => readText('/dev/zero')).toThrow('/dev/zero: is a device, expected a file');
    execFileSync('mkfifo', [path]);
    expect(() => readText(path)).toThrow(`${path}: is a pipe, expected a file`);
    rmSync(path);
    mkdirSync(path);
    expect(() => readText(path)).toThrow(`${path}: is a folder, expected a file`);
    rmSync(path, { recursive: true });
    writeFileSync(join(folder, 'target'), 'läuft');
    symlinkSync('target', path);
    expect(readText(path)).toBe('läuft');
  });

  it('refuses what is too large or no text', () => {
    writeFileSync(path, Buffer.from([0x61, 0xff]));
    expect(() => readText(path)).toThrow(`${path}: is not UTF-8 text`);
    expect(() => readText(path, { maxBytes: 1 })).toThrow(`${path}: has 2 bytes, expected at most 1`);
  });
});

describe('readJson', () => {
  it('gives the record', () => {
    writeFileSync(path, '\ufeff{"x": 1, "__proto__": {"y": 2}}\n');
    expect(readJson(path, point)).toEqual({ x: 1 });
  });

  it.each([
    ['', 'is empty, expected JSON'],
    ['{"x": 1', 'is not JSON: '],
    ['{"x": NaN}', 'is not JSON: '],
    ['\0\0\0', 'is not JSON: '],
    ['{"x": "1"}', 'x: expected number, received string'],
    ['null', 'x: expected number, received undefined'],
    ['[]', 'x: expected number, received undefined'],
  ])('says in one line what is wrong with %j', (text, problem) => {
    writeFileSync(path, text);
    const read = (): Point => readJson(path, point);
    expect(read).toThrow(`${path}: ${problem}`);
    expect(read).not.toThrow(/[\n\r\0]/);
  });
});

describe('readJsonLines', () => {
  const read = (text: string): ReturnType<typeof readJsonLines<Point>> => {
    writeFileSync(path, text);
    return readJsonLines(path, point);
  };

  it('gives the records, and a last one that was cut short', () => {
    expect(read('')).toEqual({ records: [], torn: undefined });
    expect(read('{"x":1}\n{"x":2}\n')).toEqual({ records: [{ x: 1 }, { x: 2 }], torn: undefined });
    expect(read('{"x":1}\n{"x":2}')).toEqual({ records: [{ x: 1 }, { x: 2 }], torn: undefined });
    expect(read('{"x":1}\n{"x"')).toEqual({ records: [{ x: 1 }], torn: '{"x"' });
  });

  it('names the line and the field of what is damaged before', () => {
    expect(() => read('{"x":1}\n{"x":true}\n{"x":3}\n')).toThrow(`${path}:2: x: expected number, received boolean`);
    expect(() => read('{"x":1}\n{"x"\n{"x":3}\n')).toThrow(`${path}:2: is not JSON: `);
    expect(() => read('\n')).toThrow(`${path}:1: is empty, expected JSON`);
  });
});
