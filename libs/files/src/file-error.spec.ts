import { readFileSync } from 'node:fs';
import { explainFileError, FileError, fileError, isSystemError } from './file-error';

const caught = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error;
  }
};

describe('explainFileError', () => {
  it('knows the codes, and the first line of any other message', () => {
    expect(explainFileError(caught(() => readFileSync('/none')))).toBe('no such file or folder');
    expect(explainFileError(caught(() => readFileSync('/')))).toBe('it is a folder');
    expect(explainFileError(Object.assign(new Error('EODD: odd'), { code: 'EODD' }))).toBe('EODD: odd');
    const thread = new Error('Worker initialization failure: EMFILE');
    const refused = Object.assign(thread, { code: 'ERR_WORKER_INIT_FAILED' });
    expect(explainFileError(refused)).toMatch(/^too many files are open in this process \(ulimit/);
    expect(explainFileError(new Error('one\ntwo'))).toBe('one');
    expect(explainFileError('thrown text')).toBe('thrown text');
    expect(explainFileError(undefined)).toBe('undefined');
  });
});

describe('FileError', () => {
  it('is one line, whatever the file says, and knows the code', () => {
    const error = fileError(
      'a\nb',
      'opened',
      caught(() => readFileSync('/none')),
    );
    expect(error.message).toBe('a b: cannot be opened: no such file or folder');
    expect(error.code).toBe('ENOENT');
    expect(new FileError('x', '\0'.repeat(9) + 'y'.repeat(10_000)).message).toHaveLength(603);
  });

  it('tells the system from the program', () => {
    expect(isSystemError(caught(() => readFileSync('/none')))).toBe(true);
    expect(isSystemError(new TypeError('x'))).toBe(false);
    expect(isSystemError(undefined)).toBe(false);
  });
});
