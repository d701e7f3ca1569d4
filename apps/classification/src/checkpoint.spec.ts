import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { createClassifier } from '@pyramidal/backbones';
import { exportWeights, loadWeights, openCheckpoint, writeSafetensors, type Checkpoint } from '@pyramidal/checkpoints';
import { inferencePass, LEVELS, type Classifier } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import {
  describeWith,
  expectClose,
  goldenFolder,
  goldenTensor,
  nchwToNhwc,
  nhwcIndex,
  readGoldenBackbone,
  samplePositions,
  type GoldenBackbone,
  type GoldenCase,
} from '@pyramidal/testing';

const VARIANT = 'groupmixformer_miny';

describeWith(goldenFolder(), 'the official-format checkpoint of GroupMixFormer-M', (folder) => {
  let golden: GoldenBackbone;
  let classifier: Classifier;
  let file: Checkpoint;

  beforeAll(async () => {
    await openRuntime();
    golden = readGoldenBackbone(join(folder, 'backbones', `${VARIANT}.json`));
    classifier = createClassifier(VARIANT, golden.config.num_classes);
    file = openCheckpoint(join(folder, 'backbones/checkpoints', `${VARIANT}.pth`));
  });
  afterAll(() => {
    file.close();
    classifier.dispose();
  });

  it('loads with no missing and no unexpected key', () => {
    const report = loadWeights(classifier, file.tensors);
    expect(report.loaded).toEqual([...classifier.state().keys()]);
    expect(report).toMatchObject({ missing: [], unexpected: [], misshaped: [], kept: [], resized: [] });
    expect(report.ignored).toHaveLength(file.tensors.size - report.loaded.length);
    for (const name of report.ignored) expect(name).toMatch(/\.num_batches_tracked$/);
  });

  it('gives the golden logits', () => {
    for (const { input, logits } of golden.cases) {
      const [n, , h, w] = input as [number, number, number, number];
      const rows = tf.tidy(() => {
        const images = tf.tensor4d(nchwToNhwc(goldenTensor('input', input), input), [n, h, w, 3]);
        return classifier.forward(images, inferencePass()).dataSync();
      });
      // Ten times what float32 costs the reference itself.
      const atol = 10 * logits.f32_f64_max_abs_diff;
      expectClose(
        rows.subarray(0, logits.first_f64.length),
        logits.first_f64,
        { atol },
        `logits of ${input.join('x')}`,
      );
    }
  });

  it('comes back bit for bit from the module and from a safetensors file', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'checkpoint-'));
    const path = join(temporary, 'out.safetensors');
    writeSafetensors(path, await exportWeights(classifier), { format: 'pt' });
    const back = openCheckpoint(path);
    const original = [...file.tensors].filter(([name]) => !name.endsWith('num_batches_tracked'));
    expect([...back.tensors.keys()]).toEqual(original.map(([name]) => name));
    for (const [name, tensor] of original) {
      const { dtype, shape, data } = back.tensors.get(name)!;
      expect({ name, dtype, shape }).toEqual({ name, dtype: tensor.dtype, shape: tensor.shape });
      expect(bits(data).equals(bits(tensor.data))).toBe(true);
    }
    back.close();
    rmSync(temporary, { recursive: true });
  });

  it('puts its backbone into a detector, nothing left over but the classification head', () => {
    const backbone = createClassifier(VARIANT, 10).backbone;
    const report = loadWeights(backbone, file.tensors);
    expect(report.loaded).toEqual([...backbone.state().keys()]);
    const rest = report.ignored.filter((name) => !name.endsWith('num_batches_tracked'));
    expect(new Set(rest.map((name) => name.split('.')[0]))).toEqual(new Set(['norm4', 'head']));
    backbone.dispose();
  });
});

describeWith(goldenFolder(), 'the official-format checkpoint of a narrow CoaT-Lite, its modules shared', (folder) => {
  interface Entry {
    readonly file: string;
    readonly config: { readonly num_classes: number };
    readonly parameters: number;
    readonly aliases: Readonly<Record<string, string>>;
    readonly case: GoldenCase;
  }

  it('loads completely, stays shared, and gives the golden stages and logits', async () => {
    await openRuntime();
    const expected = join(folder, 'backbones/checkpoints/expected.json');
    const { entries } = JSON.parse(readFileSync(expected, 'utf8')) as { entries: Entry[] };
    const golden = entries.find((entry) => entry.file === 'coat_lite_reduced.pth')!;
    const classifier = createClassifier('coat_lite_tiny', golden.config.num_classes, { channels: [16, 24, 32, 40] });
    const file = openCheckpoint(join(folder, 'backbones/checkpoints', golden.file));
    expect(loadWeights(classifier, file.tensors)).toMatchObject({
      missing: [],
      unexpected: [],
      misshaped: [],
      kept: [],
    });
    file.close();
    expect(classifier.parameterCount()).toBe(golden.parameters);
    expect(Object.fromEntries(classifier.aliases())).toEqual(golden.aliases);

    const { input, stages, logits } = golden.case;
    const [n, , h, w] = input as [number, number, number, number];
    const images = tf.tensor4d(nchwToNhwc(goldenTensor('input', input), input), [n, h, w, 3]);
    const pyramid = classifier.backbone.forward(images, inferencePass());
    for (const [stage, level] of LEVELS.entries()) {
      const { shape, samples_f64: samples } = stages[stage]!;
      const values = pyramid[level].dataSync();
      const positions = samplePositions(values.length, samples.length);
      const chosen = positions.map((position) => values[nhwcIndex(position, shape)]!);
      expectClose(chosen, samples, { rtol: 2e-4, atol: 2e-4 }, level);
    }
    const row = classifier.forward(images, inferencePass()).dataSync().subarray(0, logits.first_f64.length);
    expectClose(row, logits.first_f64, { rtol: 2e-4, atol: 2e-4 }, 'logits');
    classifier.dispose();
  });
});

const bits = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
