import { describeError, withoutControls } from './describe-error';

describe('withoutControls', () => {
  it('writes control characters, so that no terminal obeys them, and keeps lines', () => {
    expect(withoutControls('a\u001b[2Jb\u0007\u009b1m\tc\nd é 猫')).toBe(
      'a\\u001b[2Jb\\u0007\\u009b1m\\u0009c\nd é 猫',
    );
  });
});

describe('describeError', () => {
  it.each([
    ['of a class of its own', Object.assign(new Error('a\u001bb'), { name: 'BrokenImageError' })],
    ['with an exit code', Object.assign(new Error('a\u001bb'), { exitCode: 2 })],
    ['of no class', new TypeError('a\u001bb')],
  ])('shows names in an error %s as they may be shown', (_, error) => {
    expect(describeError(error)).toContain('a\\u001bb');
  });

  it('says that the folder in which a program runs was deleted', () => {
    const gone = Object.assign(new Error('ENOENT: no such file or directory, uv_cwd'), {
      code: 'ENOENT',
      syscall: 'uv_cwd',
    });
    expect(describeError(gone)).toBe('the current folder: no such file or folder');
  });

  it('cuts what is very long', () => {
    const long = Object.assign(new Error('x'.repeat(1e6)), { exitCode: 2 });
    expect(describeError(long).length).toBeLessThan(1100);
    const lines = Object.assign(new Error('line\n'.repeat(1e5)), { exitCode: 2 });
    expect(describeError(lines).length).toBeLessThan(21_000);
  });
});
