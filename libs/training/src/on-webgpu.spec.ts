/** A run on the WebGPU engine, which gives values asynchronously alone: its losses, its checkpoints, and what is no number. */
import { readSafetensors } from '@pyramidal/checkpoints';
import { describeOnWebGpu, expectClose } from '@pyramidal/testing';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

// Each program takes seconds to start on a busy machine.
const PROGRAM = resolve(__dirname, '../fixtures/train-on.ts');

describeOnWebGpu('training on WebGPU', (run) => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'webgpu-'))));
  afterEach(() => rmSync(root, { recursive: true }));

  /** The losses of a run's updates. */
  const train = (engine: string, name: string, updates: number, ...flags: string[]): number[] => {
    const folder = join(root, name);
    const { status, stderr } = run(PROGRAM, engine, folder, String(updates), ...flags);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = readFileSync(join(folder, 'metrics.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { kind: string; loss: number }); // prettier-ignore
    return lines.filter(({ kind }) => kind === 'train').map(({ loss }) => loss);
  };

  const weights = (name: string, file: string): number[] => {
    const checkpoint = readSafetensors(join(root, name, file));
    const values = [...checkpoint.tensors].filter(([tensor]) => !tensor.startsWith('optimizer.'));
    const all = values.flatMap(([, { data }]) => Array.from(data as Float32Array));
    checkpoint.close();
    return all;
  };

  it('has the losses and the weights of WebAssembly, also after it was resumed', () => {
    const expected = train('wasm', 'wasm', 20);
    expect(expected).toHaveLength(20);
    train('webgpu', 'webgpu', 10);
    expectClose(train('webgpu', 'webgpu', 20, '--resume'), expected, { rtol: 1e-5 });
    for (const file of ['last.safetensors', 'best.safetensors']) {
      expectClose(weights('webgpu', file), weights('wasm', file), { atol: 1e-4 });
    }
  });

  it('ends at the step that gives no number', () => {
    const { status, stderr } = run(PROGRAM, 'webgpu', join(root, 'nan'), '10', '--nan');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^step 4: loss is NaN, gradNorm is NaN; training stops, [^\n]*\n$/);
  });
});
