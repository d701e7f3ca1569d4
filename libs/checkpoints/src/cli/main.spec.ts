/** The program `pyramidal-weights`: what its commands print and write. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSafetensors, writeSafetensors } from '../safetensors';
import { dict, pickle, tensor, torchZip } from '../test-files/craft';
import { run } from './main';

const fixture = (file: string): string => join(__dirname, '../../fixtures', file);

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'weights-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function weights(...args: string[]): { code: number; out: string[]; err: string[] } {
  const [out, err]: [string[], string[]] = [[], []];
  const code = run(
    args,
    (line) => out.push(line),
    (line) => err.push(line),
  );
  return { code, out, err };
}

const float32 = (...values: number[]) => ({
  dtype: 'float32' as const,
  shape: [values.length],
  data: Float32Array.from(values),
});

describe('weights inspect', () => {
  it('prints entries, names, dtypes, shapes and statistics', () => {
    const { code, out } = weights('inspect', fixture('tiny_zip.pth'));
    expect(code).toBe(0);
    expect(out.slice(0, 3)).toEqual([
      'pytorch, entry model: names of a classifier',
      '21 tensors, 200 elements, 787 bytes',
      '  epoch: 3',
    ]);
    const row = (name: string) => out.find((line) => line.startsWith(`${name} `))!.split(/\s{2,}/);
    expect(row('conv.bias')).toEqual(['conv.bias', 'float32', '[3]', '0.006734', '0.03553', '0.01713', '0.01305']);
    expect(row('half.weight').at(-1)).toBe('2');
  });

  it('prints the same as JSON', () => {
    const { out } = weights('inspect', fixture('tiny_legacy.pth'), '--json');
    const json = JSON.parse(out.join('\n'));
    expect(json).toMatchObject({ format: 'pytorch', entry: 'model', tensors: expect.any(Array) });
    expect(json.others).toEqual({ best: '0.5', epoch: '3', flags: 'a list of 3', name: 'tiny', nested: 'a dict of 2' });
    expect(json.tensors[1]).toMatchObject({ name: 'conv.bias', dtype: 'float32', shape: [3], notFinite: 0 });
    expect(json.tensors[1].mean).toBeCloseTo((0.03553264 + 0.009137636 + 0.006734411) / 3, 8);
  });
});

describe('weights convert', () => {
  it.each(['tiny_zip.pth', 'tiny_legacy.pth'])('writes %s as safetensors, bit for bit', (file) => {
    const output = join(folder, 'tiny.safetensors');
    const { code, out } = weights('convert', fixture(file), output);
    expect({ code, out }).toEqual({ code: 0, out: [`${output}: 21 tensors, 787 bytes`] });
    expect(readSafetensors(output).metadata).toEqual({ format: 'pt', source: `${file} / model` });
    expect(weights('diff', fixture(file), output)).toEqual({
      code: 0,
      out: ['21 tensors are the same, 0 differ'],
      err: [],
    });
  });

  it('takes one part of a detector, or another entry', () => {
    const input = join(folder, 'detector.pth');
    const state = dict({ 'backbone.norm1.bias': tensor({}), 'rpn_head.rpn_cls.bias': tensor({}) });
    writeFileSync(input, torchZip(pickle(dict({ state_dict: state, ema: dict({ v: tensor({}) }) }))));
    const output = join(folder, 'out.safetensors');
    const names = () => [...readSafetensors(output).tensors.keys()];
    expect(weights('convert', input, output, '--part', 'backbone').code).toBe(0);
    expect(names()).toEqual(['norm1.bias']);
    expect(weights('convert', input, output, '--entry', 'ema').code).toBe(0);
    expect(names()).toEqual(['v']);
    expect(weights('convert', input, output, '--part', 'neck')).toEqual({
      code: 1,
      out: [],
      err: [`${input}: has no part "neck", expected one of backbone, rpn_head`],
    });
    expect(names()).toEqual(['v']);
  });

  it('keeps the old file when the input is damaged', () => {
    const output = join(folder, 'out.safetensors');
    writeSafetensors(output, [['w', float32(1)]]);
    const before = readFileSync(output);
    const input = join(folder, 'damaged.pth');
    writeFileSync(input, readFileSync(fixture('tiny_legacy.pth')).subarray(0, -4));
    const { code, err } = weights('convert', input, output);
    expect({ code, err }).toEqual({ code: 1, err: [`${input}: its storages end at byte 3522, the file at 3518`] });
    expect(readFileSync(output)).toEqual(before);
  });
});

describe('weights diff', () => {
  it('prints what was added, removed and changed, and by how much', () => {
    const [a, b] = [join(folder, 'a.safetensors'), join(folder, 'b.safetensors')];
    writeSafetensors(a, [['same', float32(1)], ['old', float32(2)], ['moved', float32(1, 2, -4)], ['wide', float32(1)]]); // prettier-ignore
    writeSafetensors(b, [['same', float32(1)], ['new', float32(2)], ['moved', float32(1, 2.5, -4)], ['wide', float32(1, 2)]]); // prettier-ignore
    expect(weights('diff', a, b)).toEqual({
      code: 1,
      out: [
        '- old float32 [1]',
        '+ new float32 [1]',
        '~ moved float32 [3]: 1 of 3 elements, by up to 0.500 (largest value 4.00)',
        '~ wide float32 [1] -> float32 [2]',
        '1 tensors are the same, 4 differ',
      ],
      err: [],
    });
  });

  it('sees a change of dtype that keeps the values', () => {
    const [a, b] = [join(folder, 'a.safetensors'), join(folder, 'b.safetensors')];
    writeSafetensors(a, [['w', float32(1)]]);
    writeSafetensors(b, [['w', { dtype: 'float16', shape: [1], data: Uint16Array.of(0x3c00) }]]);
    expect(weights('diff', a, b).out[0]).toBe(
      '~ w float32 [1] -> float16 [1]: 0 of 1 elements, by up to 0.00 (largest value 1.00)',
    );
  });
});

describe('weights', () => {
  it('exits with 1 and one line for a file that cannot be read', () => {
    const path = join(folder, 'none.pth');
    expect(weights('inspect', path)).toEqual({
      code: 1,
      out: [],
      err: [`${path}: cannot be opened: no such file or folder`],
    });
  });

  it.each([
    [['unknown']],
    [['inspect']],
    [['inspect', 'a', '--unknown']],
    [['diff', 'a']],
    [['convert', 'a', 'b', 'c']],
  ])('exits with 2 for wrong usage: %j', (args) => {
    const { code, err } = weights(...args);
    expect(code).toBe(2);
    expect(err.join('\n')).toMatch(/^error: /);
  });

  it('explains itself', () => {
    const { code, out } = weights('--help');
    expect(code).toBe(0);
    expect(out.join('\n')).toMatch(/inspect[^]*convert[^]*diff/);
  });
});
