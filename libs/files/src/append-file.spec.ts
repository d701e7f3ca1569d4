import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppendFile } from './append-file';

let folder: string;
let path: string;
const warnings: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'append-'));
  path = join(folder, 'log');
  warnings.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (): AppendFile =>
  new AppendFile(path, (message) => void warnings.push(message.replaceAll(`${folder}/`, '')));
const content = (): string => readFileSync(path, 'utf8');

describe('AppendFile', () => {
  it('goes on with a file that is there', () => {
    open().append(Buffer.from('one\n'));
    const file = open();
    file.append(Buffer.from('two\n'));
    file.append(Buffer.from('three\n'));
    expect(content()).toBe('one\ntwo\nthree\n');
  });

  it('warns once, and writes what waited when it can again', () => {
    const file = open();
    file.append(Buffer.from('one\n'));
    rmSync(folder, { recursive: true });
    file.append(Buffer.from('two\n'));
    file.append(Buffer.from('three\n'));
    expect(warnings).toEqual(['log: cannot be written: no such file or folder; trying again later']);
    folder = mkdtempSync(folder);
    const moved = join(folder, 'log');
    Object.assign(file, { path: moved });
    file.append(Buffer.from('four\n'));
    expect(readFileSync(moved, 'utf8')).toBe('two\nthree\nfour\n');
  });

  it('cuts off half a record that an earlier attempt left', () => {
    const file = open();
    file.append(Buffer.from('one\n'));
    appendFileSync(path, 'tw');
    file.append(Buffer.from('two\n'));
    expect(content()).toBe('one\ntwo\n');
  });

  it('throws where nobody is told, and keeps the record for the next time', () => {
    const file = new AppendFile(path);
    rmSync(folder, { recursive: true });
    expect(() => file.append('one\n')).toThrow(`${path}: cannot be written: no such file or folder`);
    mkdirSync(folder);
    file.append('two\n');
    expect(content()).toBe('one\ntwo\n');
  });

  it('refuses a folder, and follows no symbolic link', () => {
    mkdirSync(path);
    expect(open).toThrow(`${path}: cannot be written: it is a folder, expected a file or nothing`);
    rmSync(path, { recursive: true });
    appendFileSync(join(folder, 'other'), 'kept');
    const file = open();
    symlinkSync('other', path);
    expect(open).toThrow('cannot be written: it is a symbolic link, expected a file or nothing');
    file.append('one\n');
    expect(warnings).toHaveLength(1);
    expect(readFileSync(join(folder, 'other'), 'utf8')).toBe('kept');
  });
});
