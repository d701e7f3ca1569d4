import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findWeights } from './find-weights';

describe('findWeights', () => {
  let run: string;
  beforeEach(() => (run = mkdtempSync(join(tmpdir(), 'find-weights-'))));
  afterEach(() => rmSync(run, { recursive: true }));
  const write = (...names: string[]) => names.forEach((name) => writeFileSync(join(run, name), ''));

  it("takes the best checkpoint of a run's folder, else the last", () => {
    expect(() => findWeights(run)).toThrow(
      /expected a weights file, or the folder of a run with best\.safetensors or last/,
    );
    write('last.safetensors');
    expect(findWeights(run)).toEqual({ file: join(run, 'last.safetensors'), run });
    write('best.safetensors');
    expect(findWeights(run)).toEqual({ file: join(run, 'best.safetensors'), run });
  });

  it('knows the run of a file in its folder, and of others that they have none', () => {
    write('official.pth', 'step-10.safetensors');
    expect(findWeights(join(run, 'official.pth'))).toEqual({ file: join(run, 'official.pth'), run: undefined });
    write('run.json');
    expect(findWeights(join(run, 'step-10.safetensors'))).toEqual({ file: join(run, 'step-10.safetensors'), run });
    expect(findWeights(join(run, 'missing.pth')).file).toBe(join(run, 'missing.pth'));
  });
});
