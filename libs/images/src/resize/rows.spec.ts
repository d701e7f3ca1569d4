import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import loadWabt from 'wabt';
import { ROWS_WASM } from './rows-wasm';
import { put, reserve, rowKernels } from './rows';

describe('row kernels', () => {
  it('are wasm/rows.wat, compiled', async () => {
    const wabt = await loadWabt();
    const parsed = wabt.parseWat('rows.wat', readFileSync(join(__dirname, '../../wasm/rows.wat'), 'utf8'));
    expect(Buffer.from(parsed.toBinary({}).buffer).toString('base64')).toBe(ROWS_WASM);
  });

  it('get buffers that do not touch, however large', () => {
    const [a, b] = reserve([3_000_000, 5]);
    expect(b).toBeGreaterThanOrEqual(a + 3_000_000 + 63);
    put(b, Uint8Array.of(1, 2, 3, 4, 5));
    expect([...new Uint8Array(rowKernels().memory.buffer, b, 5)]).toEqual([1, 2, 3, 4, 5]);
  });
});
