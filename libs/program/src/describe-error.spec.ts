import { describeError, printable } from './describe-error';

describe('printable', () => {
  it('writes control characters, so that no terminal obeys them, and keeps lines', () => {
    expect(printable('a\u001b[2Jb\u0007\u009b1m\tc\nd é 猫')).toBe('a\\u001b[2Jb\\u0007\\u009b1m\\u0009c\nd é 猫');
  });

  it('cuts what is very long', () => expect(printable('x'.repeat(1e6)).length).toBeLessThan(21_000));
});

describe('describeError', () => {
  it.each([
    ['of a class of its own', Object.assign(new Error('a\u001bb'), { name: 'BrokenImageError' })],
    ['with an exit code', Object.assign(new Error('a\u001bb'), { exitCode: 2 })],
    ['of no class', new TypeError('a\u001bb')],
  ])('shows names in an error %s as they may be shown', (_, error) => {
    expect(describeError(error)).toContain('a\\u001bb');
  });
});
