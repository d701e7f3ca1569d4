/** Safetensors files from memory, whole and cut short. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError } from './errors';
import { parseSafetensors } from './parse-safetensors';
import { writeSafetensors } from './safetensors';

describe('parseSafetensors', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parse-'));
  const path = join(folder, 'some.safetensors');
  const weight = { dtype: 'float32', shape: [2, 2], data: Float32Array.of(1, -2.5, 3e8, NaN) } as const;
  const count = { dtype: 'int64', shape: [], data: BigInt64Array.of(-7n) } as const;
  let bytes: Uint8Array<ArrayBuffer>;

  beforeAll(() => {
    writeSafetensors(path, Object.entries({ weight, count }), { format: 'pt' });
    bytes = new Uint8Array(readFileSync(path));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('gives the tensors and the metadata that were written', () => {
    const { tensors, metadata } = parseSafetensors(bytes);
    expect([...tensors.keys()]).toEqual(['weight', 'count']);
    expect(tensors.get('weight')).toEqual(weight);
    expect(tensors.get('count')).toEqual(count);
    expect(metadata).toEqual({ format: 'pt' });
  });

  it('takes an ArrayBuffer, and bytes at any offset of one', () => {
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    for (const given of [bytes.buffer, shifted.subarray(3)]) {
      expect(parseSafetensors(given).tensors.get('weight')).toEqual(weight);
    }
  });

  it('names what was cut short', () => {
    const parse = () => parseSafetensors(bytes.subarray(0, bytes.length - 1), 'tiny');
    expect(parse).toThrow(CheckpointError);
    expect(parse).toThrow(`tiny: not a valid safetensors file: the tensors end at byte ${bytes.length}`);
    expect(() => parseSafetensors(new Uint8Array(4))).toThrow('expected at least 8 bytes, received 4');
  });
});
