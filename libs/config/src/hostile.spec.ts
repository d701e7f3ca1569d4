import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { loadConfig, runtimeSchema, trainSchema, UsageError, z } from './index';

/* What nobody writes on purpose: every kind ends in few short lines, in time and memory that grow with the file's length. */

const schema = z.strictObject({
  data: z.strictObject({ root: z.string(), scale: z.union([z.number(), z.array(z.number())]).optional() }),
  train: trainSchema,
  runtime: runtimeSchema,
});

const VALID = `data: { root: /data }
train: { epochs: 3, batchSize: 8, optimizer: { name: adamw, lr: 1e-3 } }
`;

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'hostile-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function write(content: string | Uint8Array): string {
  const file = join(folder, 'x.yaml');
  writeFileSync(file, content);
  return file;
}

/** The lines of the complaint, without the folder's name. */
function complaint(file: string, set: readonly string[] = []): string[] {
  try {
    loadConfig(schema, file, { set });
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message.replaceAll(`${folder}/`, '').split('\n');
  }
  throw new Error('expected an error');
}

const repeat = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('');

describe('a file', () => {
  it.each<[string, string, RegExp]>([
    [
      'of 16,000 keys',
      VALID + repeat(16_000, (i) => `k${i}: 1\n`),
      /^x\.yaml:3: k0: unknown key.*\n[^]*\nand 15980 more problems$/,
    ],
    [
      'of 16,000 keys in one line',
      `{${repeat(16_000, (i) => `k${i}: 1, `)}}`,
      /^x\.yaml:1: data: missing.*\n[^]*\nand 15982 more problems$/,
    ],
    ['of one key 16,000 times', repeat(16_000, () => 'a: 1\n'), /^x\.yaml:2: the key 'a' stands here a second time\n/],
    ['of lists in lists', `a: ${'['.repeat(50_000)}`, /^x\.yaml:1: nested too deeply, expected at most 32 levels$/],
    ['of mappings in mappings', `${'{a: '.repeat(20_000)}1${'}'.repeat(20_000)}`, /^x\.yaml:1: nested too deeply/],
    ['of dashes', '- '.repeat(100_000), /^x\.yaml:1: nested too deeply/],
    ['of question marks', '? '.repeat(50_000), /^x\.yaml:1: nested too deeply/],
    ['of indented keys', repeat(600, (i) => `${' '.repeat(i)}a:\n`), /^x\.yaml:\d+: nested too deeply/],
    [
      'of aliases of aliases',
      repeat(30, (i) => `a${i}: &a${i} [*a${i - 1}, *a${i - 1}]\n`),
      /^x\.yaml:1: anchors and aliases are not used.*\n[^]*more problems$/,
    ],
    [
      'of 250 KB of text',
      `data: { root: 1 }\ntrain: ${'x'.repeat(250_000)}`,
      /^x\.yaml:1: data\.root: expected text, received 1\nx\.yaml:2: train: expected a mapping, received 'x{60}\.\.\.'/,
    ],
    [
      'with a key of 250 KB',
      `${VALID}? ${'x'.repeat(250_000)}\n: 1`,
      /^x\.yaml:3: x{60}\.\.\.: unknown key, expected one of data, train, runtime$/,
    ],
    [
      'of 300 KB',
      `${VALID}#${'x'.repeat(300_000)}`,
      /^x\.yaml: expected a configuration of at most 256 KiB, it is larger$/,
    ],
    ['of tabs', 'a:\n\tb: 1\n', /^x\.yaml:2: indented with a tab, expected spaces/],
    ['of nothing', '', /^x\.yaml: the file is empty$/],
    ['of spaces', ' \n\n  \n', /^x\.yaml: the file is empty$/],
    ['of one word', 'epochs', /^x\.yaml: expected `key: value` lines at the top level$/],
    ['with a list as a key', '[1, 2]: 3', /^x\.yaml:1: expected plain text as a key$/],
    ['in another version of YAML', `%YAML 1.1\n---\n${VALID}`, /^x\.yaml:1: directives are not used in configurations/],
    ['with a space before its first line', ' a: { b: 1 }\nc: { d: 1, e: 2 }\n', /^x\.yaml:2: not valid YAML: .*$/],
    ['with line ends of an old Mac', 'a: { b: 1 }\rc: { d: 1, e: 2 }\r', /^x\.yaml:1: not valid YAML: .*$/],
    ['of commas', `{${','.repeat(20_000)}}`, /^x\.yaml:1: not valid YAML: .*$/],
    [
      'with control characters',
      'a: \u0007\n',
      /^x\.yaml: expected a YAML file in UTF-8, found the character 7 at offset 3$/,
    ],
    ['with a line break in a word', `${VALID}runtime: { engine: "a\\nb\\0" }`, /received 'a\\nb\\u0000'$/],
    [
      'with a key of every object',
      `${VALID}__proto__: { a: 1 }\nconstructor: 1`,
      /^x\.yaml:3: __proto__: unknown key.*\nx\.yaml:4: constructor: unknown key/,
    ],
    [
      'with such a key inside',
      VALID.replace('epochs: 3', 'toString: 3'),
      /^x\.yaml:2: train: expected one of epochs and iterations|train\.toString: unknown key/,
    ],
    [
      'with a number that is none',
      VALID.replace('1e-3', '.nan'),
      /^x\.yaml:2: train\.optimizer\.lr: expected a number, received NaN$/,
    ],
    ['with a number without end', VALID.replace('1e-3', '1e999'), /lr: expected a number, received Infinity$/],
    [
      'with a fraction of a batch',
      VALID.replace('batchSize: 8', 'batchSize: 1e20'),
      /^x\.yaml:2: train\.batchSize: expected /,
    ],
  ])('%s', (_, text, message) => {
    const lines = complaint(write(text));
    expect(lines.join('\n')).toMatch(message);
    expect(lines.length).toBeLessThanOrEqual(21);
    for (const line of lines) expect(line.length).toBeLessThan(400);
  });

  it.each<[string, Uint8Array]>([
    ['a picture', Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70])],
    ['UTF-16', Buffer.from(`\ufeff${VALID}`, 'utf16le')],
    ['an archive', Uint8Array.from([0x50, 0x4b, 3, 4, 20, 0, 0, 0])],
  ])('that is %s', (_, bytes) => {
    expect(complaint(write(bytes))).toEqual([expect.stringMatching(/^x\.yaml: expected a YAML file in UTF-8/)]);
  });

  it('that is a folder, a pipe, a device, or not there', () => {
    expect(complaint(folder)).toEqual([expect.stringContaining('expected a file, found a folder')]);
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(complaint(pipe)).toEqual(['pipe: expected a file, found a pipe or a device']);
    expect(complaint('/dev/zero')).toEqual(['/dev/zero: expected a file, found a pipe or a device']);
    expect(complaint(join(folder, 'none.yaml'))).toEqual(['none.yaml: no such file']);
    const loop = join(folder, 'loop.yaml');
    symlinkSync(loop, loop);
    expect(complaint(loop)).toEqual(['loop.yaml: cannot be read (ELOOP)']);
    expect(complaint(write('extends: /dev/zero\n'))).toEqual([expect.stringContaining('x.yaml:1: extends:')]);
  });

  it('with a byte order mark or Windows line ends is as good as one without', () => {
    const { config } = loadConfig(schema, write(VALID));
    expect(loadConfig(schema, write(`\ufeff${VALID}`)).config).toEqual(config);
    expect(loadConfig(schema, write(VALID.replaceAll('\n', '\r\n'))).config).toEqual(config);
  });
});

describe('--set', () => {
  it.each<[string, string, RegExp]>([
    [
      'a key of every object',
      '__proto__.x=1',
      /^--set __proto__\.x=1: __proto__: unknown key, expected one of data, train, runtime$/,
    ],
    ['the constructor', 'constructor.prototype.x=1', /^--set constructor\.prototype\.x=1: constructor: unknown key/],
    [
      'such a key inside',
      'train.__proto__.epochs=1',
      /^--set train\.__proto__\.epochs=1: train\.__proto__: unknown key/,
    ],
    ['a method', 'data.toString=1', /^--set data\.toString=1: unknown key, expected one of root, scale$/],
    [
      'a mapping in place of a number',
      'train.epochs={b: c}',
      /^--set train\.epochs=\{b: c\}: expected a whole number, received a mapping$/,
    ],
    ['a mapping nobody knows', 'a={b: c}', /^--set a=\{b: c\}: unknown key/],
    [
      'a long path',
      `${'model.'.repeat(10_000)}x=1`,
      /^--set model\.model.*\.\.\.: expected at most 32 keys, received 10001$/,
    ],
    ['a deep value', `train.epochs=${'['.repeat(10_000)}`, /: expected a whole number, received '\[+\.\.\.'$/],
    ['anchors', 'train={epochs: &a 1, batchSize: *a}', /: expected a mapping, received '/],
    ['no number', 'train.optimizer.lr=.nan', /^--set train\.optimizer\.lr=\.nan: expected a number, received NaN$/],
    [
      'a long value',
      `train.epochs=${'9'.repeat(100_000)}`,
      /^--set train\.epochs=9+\.\.\.: expected a whole number, received Infinity$/,
    ],
    ['an engine by its short name', 'runtime.engine=gpu', /received 'gpu', did you mean 'tensorflow-gpu'\?$/],
    ['an engine there is not', 'runtime.engine=cuda', /received 'cuda'$/],
  ])('%s', (_, override, message) => {
    const lines = complaint(write(VALID), [override]);
    expect(lines.join('\n')).toMatch(message);
    for (const line of lines) expect(line.length).toBeLessThan(500);
  });

  it('leaves no trace in other objects', () => {
    complaint(write(VALID), ['__proto__.polluted=1', 'constructor.prototype.polluted=1']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('any change of a configuration', () => {
  const pieces = fc.constantFrom(
    ...'{}[]:,-?&*!|>%@`"\'#\t\n\r \0\ufeff',
    ': ',
    '- ',
    '\n  ',
    '---\n',
    '<<: ',
    '&a ',
    '*a',
    '!!str ',
    '.inf',
    '~',
    '__proto__',
  );
  const change = fc.record({ at: fc.nat(200), cut: fc.nat(12), piece: pieces, times: fc.integer({ min: 0, max: 60 }) });

  it('loads, or ends in lines that name the file', () => {
    const property = fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const text = changes.reduce(
        (old, { at, cut, piece, times }) => old.slice(0, at) + piece.repeat(times) + old.slice(at + cut),
        VALID,
      );
      try {
        loadConfig(schema, write(text));
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
        const lines = (error as Error).message.replaceAll(`${folder}/`, '').split('\n');
        for (const line of lines) expect(line).toMatch(/^(x\.yaml(:\d+)?: .{1,400}|and \d+ more problems?)$/);
      }
    });
    fc.assert(property, { numRuns: 200, seed: 7 });
  });
});
