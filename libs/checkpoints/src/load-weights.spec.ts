/** Loading weights into a module: names, shapes, options, and nothing changed by an error. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchNorm, Conv2d, DepthwiseConv2d, initializers, LayerNorm, Linear, Module, Parameter } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { expectNoLeaks, goldenTensor } from '@pyramidal/testing';
import { openCheckpoint } from './checkpoint';
import type { StoredTensor } from './dtype';
import { exportWeights } from './export-weights';
import { compareWeights, loadWeights, WeightsError, type LoadOptions } from './load-weights';
import { writeSafetensors } from './safetensors';

class Pyramid extends Module {
  readonly patchEmbed = new Conv2d(3, 4, 3);
  readonly norm = new BatchNorm(4);
  readonly cpe1 = new DepthwiseConv2d(4, 3);
  readonly blocks = [new Block(this.cpe1), new Block(this.cpe1)];
}

class Block extends Module {
  readonly norm1 = new LayerNorm(4);
  constructor(readonly cpe: DepthwiseConv2d) {
    super();
  }
}

class Classifier extends Module {
  protected override readonly officialNames = { pyramid: '' };
  readonly pyramid = new Pyramid();
  readonly posEmbed: Parameter;
  readonly head: Linear;
  constructor(classes = 5, cells = 4) {
    super();
    this.posEmbed = new Parameter({ shape: [1, cells, 4], init: initializers.zeros });
    this.head = new Linear(4, classes);
  }
}

class Detector extends Module {
  readonly backbone = new Pyramid();
  readonly neck = new Conv2d(4, 2, 1);
}

type Tensors = Map<string, StoredTensor>;

const golden = (name: string, shape: readonly number[]): StoredTensor => ({
  dtype: 'float32',
  shape,
  data: goldenTensor(name, shape),
});

/** A state_dict as PyTorch would give it: shared tensors under all their names, batch counters. */
function stateDict(module: Module): Tensors {
  const tensors: Tensors = new Map();
  for (const [name, { torchShape }] of module.state()) {
    tensors.set(name, golden(name, torchShape));
    const counter = name.replace('running_var', 'num_batches_tracked');
    if (counter !== name) tensors.set(counter, { dtype: 'int64', shape: [], data: BigInt64Array.of(9n) });
  }
  for (const [alias, name] of module.aliases()) tensors.set(alias, tensors.get(name)!);
  return tensors;
}

function without(tensors: Tensors, ...names: string[]): Tensors {
  return new Map([...tensors].filter(([name]) => !names.includes(name)));
}

const failure = (module: Module, tensors: Tensors, options?: LoadOptions): WeightsError => {
  try {
    loadWeights(module, tensors, options);
  } catch (error) {
    if (error instanceof WeightsError) return error;
    throw error;
  }
  throw new Error('expected a failure');
};

async function values(module: Module): Promise<Map<string, readonly number[]>> {
  const entries = [...module.state()].map(
    async ([name, parameter]) => [name, [...(await parameter.toTorch())]] as const,
  );
  return new Map(await Promise.all(entries));
}

let modules: Module[];
const track = <M extends Module>(module: M): M => {
  module.initialize(1);
  modules.push(module);
  return module;
};

beforeAll(() => openRuntime({ engine: 'cpu' }));
beforeEach(() => (modules = []));
afterEach(() => modules.forEach((module) => module.dispose()));

describe('loadWeights', () => {
  it('takes every name of a state_dict, shared ones once, and transposes', async () => {
    const classifier = track(new Classifier());
    const report = loadWeights(classifier, stateDict(classifier));
    expect(report).toEqual({
      loaded: [...classifier.state().keys()],
      resized: [],
      missing: [],
      unexpected: [],
      misshaped: [],
      kept: [],
      misfits: [],
      ignored: ['norm.num_batches_tracked'],
    });
    for (const [name, data] of await values(classifier)) {
      expect(data).toEqual([...goldenTensor(name, classifier.state().get(name)!.torchShape)]);
    }
    const kernel = goldenTensor('patch_embed.weight', [4, 3, 3, 3]);
    const ours = await classifier.pyramid.patchEmbed.weight.variable.data();
    expect(ours[((2 * 3 + 1) * 3 + 2) * 4 + 3]).toBe(kernel[((3 * 3 + 2) * 3 + 2) * 3 + 1]); // [y 2, x 1, in 2, out 3]
  });

  it('loads a module that has no values yet', () => {
    const classifier = new Classifier();
    modules.push(classifier);
    loadWeights(classifier, stateDict(classifier));
    expect(classifier.head.weight.isInitialized).toBe(true);
  });

  it('says in one line what does not fit, and changes nothing', async () => {
    const classifier = track(new Classifier());
    const before = await values(classifier);
    const tensors = without(stateDict(classifier), 'norm.bias');
    tensors.set('extra', golden('extra', [1]));
    tensors.set('head.weight', golden('head.weight', [7, 4]));
    tensors.set('head.bias', { dtype: 'int64', shape: [5], data: new BigInt64Array(5) });
    const error = failure(classifier, tensors);
    expect(error.message).toBe(
      'the weights do not fit: 1 missing (norm.bias); 1 unexpected (extra); 2 mis-shaped ' +
        '(head.weight: expected float32 [5, 4], received float32 [7, 4], head.bias: expected float32 [5], received int64 [5])',
    );
    expect(error.report).toMatchObject({ missing: ['norm.bias'], unexpected: ['extra'] });
    expect(error.report.misshaped).toHaveLength(2);
    expect(await values(classifier)).toEqual(before);
  });

  it('keeps its one line short where the names of the file have line breaks, escapes or megabytes', () => {
    const classifier = track(new Classifier());
    const tensors = stateDict(classifier);
    tensors.set('\u001b[31mred\n', golden('extra', [1]));
    tensors.set('x'.repeat(1_000_000), golden('extra', [1]));
    const { message } = failure(classifier, tensors);
    expect(message).toBe(`the weights do not fit: 2 unexpected ( [31mred , ${'x'.repeat(200)}...)`);
  });

  it.each([NaN, Infinity, -Infinity, 2e19])('takes no value that nothing can be computed with: %d', async (value) => {
    const classifier = track(new Classifier());
    const tensors = stateDict(classifier);
    const before = await values(classifier);
    tensors.set('norm.bias', { dtype: 'float32', shape: [4], data: Float32Array.of(0, 1, value, 0) });
    expect(() => loadWeights(classifier, tensors)).toThrow(
      `norm.bias[2]: expected a finite number of at most 18000000000000000000, received ${Math.fround(value)}`,
    );
    expect(await values(classifier)).toEqual(before);
  });

  it('changes nothing when the file turns out to be damaged half way', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'load-'));
    const path = join(folder, 'w.safetensors');
    const classifier = track(new Classifier());
    writeSafetensors(path, stateDict(classifier));
    const file = openCheckpoint(path);
    writeFileSync(path, readFileSync(path).subarray(0, -50));
    const before = await values(classifier);
    expect(() => loadWeights(classifier, file.tensors)).toThrow('was cut short');
    expect(await values(classifier)).toEqual(before);
    file.close();
    rmSync(folder, { recursive: true });
  });

  it('keeps class heads of another class count only when asked', async () => {
    const classifier = track(new Classifier(2));
    const tensors = stateDict(new Classifier(5));
    expect(failure(classifier, tensors).report.misshaped.map(({ name }) => name)).toEqual(['head.weight', 'head.bias']);
    const before = (await values(classifier)).get('head.weight');
    const report = loadWeights(classifier, tensors, { skipClassHeads: true });
    expect(report.kept).toEqual(['head.weight', 'head.bias']);
    expect((await values(classifier)).get('head.weight')).toEqual(before);
  });

  it('does not keep other tensors of another shape even then', () => {
    const tensors = stateDict(new Classifier());
    tensors.set('norm.bias', golden('norm.bias', [3]));
    expect(failure(track(new Classifier()), tensors, { skipClassHeads: true }).message).toContain('norm.bias');
  });

  it('resizes position embeddings only when asked', async () => {
    const classifier = track(new Classifier(5, 9));
    const tensors = stateDict(new Classifier(5, 4));
    tensors.set('pos_embed', { dtype: 'float32', shape: [1, 4, 4], data: new Float32Array(16).fill(0.5) });
    expect(failure(classifier, tensors).report.misshaped.map(({ name }) => name)).toEqual(['pos_embed']);
    const report = loadWeights(classifier, tensors, { resizePositions: true });
    expect(report.resized).toEqual(['pos_embed']);
    const positions = (await values(classifier)).get('pos_embed')!;
    expect(positions).toHaveLength(36);
    for (const value of positions) expect(value).toBeCloseTo(0.5, 6);
  });

  it('allows missing and unexpected names that match what it is told', () => {
    const classifier = track(new Classifier());
    const tensors = without(stateDict(classifier), 'head.weight', 'head.bias');
    tensors.set('teacher.weight', golden('teacher.weight', [2]));
    const report = loadWeights(classifier, tensors, { allowMissing: /^head\./g, allowUnexpected: /^teacher\./ });
    expect(report.kept).toEqual(['head.weight', 'head.bias']);
    expect(report.ignored).toContain('teacher.weight');
  });

  it('takes shared tensors by any of their names, and refuses two that differ', () => {
    const classifier = track(new Classifier());
    const tensors = stateDict(classifier);
    expect(loadWeights(classifier, without(tensors, 'cpe1.weight', 'blocks.0.cpe.weight')).missing).toEqual([]);
    tensors.set('blocks.1.cpe.weight', golden('other', [4, 1, 3, 3]));
    expect(() => loadWeights(classifier, tensors)).toThrow(
      'blocks.1.cpe.weight differs from cpe1.weight, with which it is shared',
    );
  });

  it("puts a classifier's backbone into a detector and takes it out again", async () => {
    const classifier = new Classifier();
    const weights = without(stateDict(classifier), 'pos_embed');
    const detector = track(new Detector());
    const report = loadWeights(detector, weights, { allowMissing: /^neck\./ });
    expect(report.kept).toEqual(['neck.weight', 'neck.bias']);
    expect(report.ignored).toEqual(['backbone.norm.num_batches_tracked', 'backbone.head.weight', 'backbone.head.bias']);
    expect((await values(detector)).get('backbone.norm.bias')).toEqual([...goldenTensor('norm.bias', [4])]);

    const pyramid = track(new Pyramid());
    const taken = loadWeights(pyramid, stateDict(detector));
    expect(taken.loaded).toEqual([...pyramid.state().keys()]);
    expect(taken.ignored).toEqual(['neck.weight', 'neck.bias', 'norm.num_batches_tracked']);
    expect((await values(pyramid)).get('norm.bias')).toEqual([...goldenTensor('backbone.norm.bias', [4])]);
  });

  it('widens half precision exactly', async () => {
    const classifier = track(new Classifier());
    const tensors = stateDict(classifier);
    tensors.set('norm.bias', { dtype: 'float16', shape: [4], data: Uint16Array.of(0x3c00, 0xc100, 0x0001, 0x3555) });
    tensors.set('norm.weight', { dtype: 'bfloat16', shape: [4], data: Uint16Array.of(0x3f80, 0xc020, 0, 0x3eab) });
    loadWeights(classifier, tensors);
    const loaded = await values(classifier);
    expect(loaded.get('norm.bias')).toEqual([1, -2.5, 2 ** -24, 0.333251953125]);
    expect(loaded.get('norm.weight')).toEqual([1, -2.5, 0, 0.333984375]);
  });

  it('leaves the tensor count unchanged', async () => {
    const classifier = track(new Classifier());
    await expectNoLeaks(() => loadWeights(classifier, stateDict(classifier)));
  });
});

describe('compareWeights', () => {
  it('reports without loading', async () => {
    const classifier = track(new Classifier());
    const before = await values(classifier);
    expect(compareWeights(classifier, without(stateDict(classifier), 'head.bias')).missing).toEqual(['head.bias']);
    expect(await values(classifier)).toEqual(before);
  });
});

describe('exportWeights', () => {
  it('gives back what was loaded bit for bit, under every name, in PyTorch layouts', async () => {
    const classifier = track(new Classifier());
    const tensors = without(stateDict(classifier), 'norm.num_batches_tracked');
    loadWeights(classifier, tensors);
    expect(new Map([...(await exportWeights(classifier))].sort())).toEqual(new Map([...tensors].sort()));
  });

  it('leaves the tensor count unchanged', async () => {
    const classifier = track(new Classifier());
    await expectNoLeaks(() => exportWeights(classifier));
  });
});
