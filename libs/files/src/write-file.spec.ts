import { execFileSync } from 'node:child_process';
import fs, {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  checkTarget,
  duplicateFile,
  makeFolder,
  removeFile,
  removeLeftovers,
  writeFileAtomically,
  writeJson,
} from './write-file';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'write-'));
  path = join(folder, 'file');
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const content = (): string => readFileSync(path, 'utf8');

/** The next call of a function of the file system fails. */
function refuse(name: 'writeSync' | 'renameSync' | 'fsyncSync' | 'openSync' | 'linkSync', code: string): void {
  jest.spyOn(fs, name).mockImplementationOnce(() => {
    throw Object.assign(new Error(`${code}: refused`), { code, syscall: name });
  });
}

describe('writeFileAtomically', () => {
  it('writes text, bytes, and pieces one after the other', () => {
    writeFileAtomically(path, 'läuft\n');
    expect(content()).toBe('läuft\n');
    writeFileAtomically(path, Uint8Array.of(104, 105));
    expect(content()).toBe('hi');
    writeFileAtomically(path, [Buffer.from('a'), Buffer.from(''), Buffer.from('bc')]);
    expect(content()).toBe('abc');
    writeFileAtomically(path, [Buffer.from('a--d'), { position: 1, bytes: Buffer.from('bc') }, Buffer.from('e')]);
    expect(content()).toBe('abcde');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('keeps the permissions of the file that it replaces', () => {
    writeFileSync(path, 'old');
    chmodSync(path, 0o640);
    writeFileAtomically(path, 'new');
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  it.each([
    ['writeSync', 'ENOSPC', 'no space left on the device'],
    ['writeSync', 'EDQUOT', 'the disk quota is used up'],
    ['fsyncSync', 'EIO', 'the device reports an input/output error'],
    ['openSync', 'EROFS', 'the file system is read-only'],
    ['openSync', 'EACCES', 'permission denied'],
    ['renameSync', 'EPERM', 'not permitted'],
  ] as const)('when %s fails with %s it says so and leaves what was there', (name, code, reason) => {
    refuse(name, code);
    expect(() => writeFileAtomically(path, 'new')).toThrow(new RegExp(`file: cannot be written: ${reason}$`));
    expect(readdirSync(folder)).toEqual([]);
    writeFileSync(path, 'old');
    refuse(name, code);
    const kept = `${path}: cannot be written: ${reason}; the file that is there was not touched`;
    expect(() => writeFileAtomically(path, 'new')).toThrow(kept);
    expect(content()).toBe('old');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('passes on what the content throws, and leaves what was there', () => {
    writeFileSync(path, 'old');
    function* failing(): Generator<Uint8Array> {
      yield Buffer.from('half');
      throw new RangeError('no more');
    }
    expect(() => writeFileAtomically(path, failing())).toThrow(new RangeError('no more'));
    expect(content()).toBe('old');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('names a folder that is missing or is none', () => {
    const inside = join(path, 'x');
    expect(() => writeFileAtomically(inside, '')).toThrow(`${inside}: cannot be written: no such file or folder`);
    writeFileSync(path, '');
    expect(() => writeFileAtomically(inside, '')).toThrow(
      `${inside}: cannot be written: a part of the path is not a folder`,
    );
  });

  it('replaces no folder, link, pipe or device', () => {
    mkdirSync(path);
    expect(() => writeFileAtomically(path, '')).toThrow(`${path}: cannot be written: it is a folder, expected a file`);
    rmSync(path, { recursive: true });
    writeFileSync(join(folder, 'target'), 'kept');
    symlinkSync('target', path);
    expect(() => writeFileAtomically(path, 'new')).toThrow('it is a symbolic link, expected a file or nothing');
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('kept');
    rmSync(path);
    symlinkSync('nowhere', path);
    expect(() => writeFileAtomically(path, 'new')).toThrow('it is a symbolic link, expected a file or nothing');
    expect(existsSync(join(folder, 'nowhere'))).toBe(false);
    expect(() => writeFileAtomically('/dev/null', 'new')).toThrow('/dev/null: cannot be written: it is a device');
    rmSync(path);
    execFileSync('mkfifo', [path]);
    expect(() => writeFileAtomically(path, 'new')).toThrow('it is a pipe, expected a file or nothing');
  });
});

describe('writeJson', () => {
  it('writes lines that people can read', () => {
    writeJson(path, { a: [1] });
    expect(content()).toBe('{\n  "a": [\n    1\n  ]\n}\n');
  });
});

describe('duplicateFile', () => {
  it('gives a file a second name, which a later write does not change', () => {
    const copy = join(folder, 'copy');
    writeFileAtomically(path, 'one');
    duplicateFile(path, copy);
    expect(statSync(copy).ino).toBe(statSync(path).ino);
    writeFileAtomically(path, 'two');
    expect(readFileSync(copy, 'utf8')).toBe('one');
    refuse('linkSync', 'EPERM');
    duplicateFile(path, copy);
    expect(readFileSync(copy, 'utf8')).toBe('two');
    expect(statSync(copy).ino).not.toBe(statSync(path).ino);
  });

  it('names a file that is missing', () => {
    expect(() => duplicateFile(join(folder, 'none'), path)).toThrow(
      `${path}: cannot be written: no such file or folder`,
    );
  });
});

describe('removeLeftovers', () => {
  it('removes temporary files alone', () => {
    writeFileSync(join(folder, '.pyramidal-0123456789abcdef.tmp'), 'half');
    writeFileSync(join(folder, '.pyramidal-mine.tmp'), 'kept');
    writeFileSync(path, 'kept');
    removeLeftovers(folder);
    expect(readdirSync(folder).sort()).toEqual(['.pyramidal-mine.tmp', 'file']);
  });
});

describe('removeFile', () => {
  it('takes away a file that is there, and says why where it cannot', () => {
    writeFileSync(path, 'one');
    for (const time of ['there', 'gone']) {
      expect(() => removeFile(path)).not.toThrow();
      expect([time, existsSync(path)]).toEqual([time, false]);
    }
    expect(() => removeFile(folder)).toThrow(
      new RegExp(`^${folder}: cannot be removed: (it is a folder|not permitted)$`),
    );
  });
});

describe('makeFolder', () => {
  (process.platform === 'linux' ? it : it.skip)('ends where a file system takes no folders', () => {
    for (const path of ['/proc/none', '/proc/none/below']) {
      expect(() => makeFolder(path)).toThrow(`${path}: cannot be written: no such file or folder`);
    }
  });

  it('makes what is missing, and names what is in the way', () => {
    const deep = join(folder, 'a/b');
    makeFolder(deep);
    makeFolder(deep);
    expect(statSync(deep).isDirectory()).toBe(true);
    writeFileSync(path, '');
    expect(() => makeFolder(path)).toThrow(`${path}: cannot be written: a file of that name is in the way`);
  });
});

describe('checkTarget', () => {
  it('gives what is there', () => {
    expect(checkTarget(path)).toBeUndefined();
    writeFileSync(path, 'four');
    expect(checkTarget(path)?.size).toBe(4);
  });
});
