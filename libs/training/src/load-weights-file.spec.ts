import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeSafetensors } from '@pyramidal/checkpoints';
import { Linear } from '@pyramidal/nn';
import { loadWeightsFile } from './load-weights-file';

it.each([
  [[1, NaN], 1, 'weight[1]: expected a finite number of at most 18000000000000000000, received NaN'],
  [[1, 2, 3], 2, 'the weights do not fit: 1 mis-shaped (weight: expected float32 [1, 2], received float32 [1, 3])'],
])('weights %j end a program with exit code %d', (weight, exitCode, problem) => {
  const folder = mkdtempSync(join(tmpdir(), 'weights-'));
  const path = join(folder, 'w.safetensors');
  const module = new Linear(2, 1);
  try {
    const tensor = (values: readonly number[], shape: readonly number[]) =>
      ({ dtype: 'float32', shape, data: Float32Array.from(values) }) as const;
    const tensors = { weight: tensor(weight, [1, weight.length]), bias: tensor([0], [1]) };
    writeSafetensors(path, new Map(Object.entries(tensors)));
    expect(() => loadWeightsFile(path, module)).toThrow(
      expect.objectContaining({ message: `${path}: ${problem}`, exitCode }),
    );
  } finally {
    module.dispose();
    rmSync(folder, { recursive: true });
  }
});
