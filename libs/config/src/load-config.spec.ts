import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig, UsageError, z } from './index';
import { backboneSchema, evaluationSchema, runtimeSchema, trainSchema } from './schema';

const schema = z.strictObject({
  model: z.strictObject({
    name: z.enum(['groupmixformer_tiny', 'groupmixformer_small', 'smt_tiny']),
    dropPath: z.number().min(0).max(1).default(0.1),
  }),
  data: z.strictObject({
    root: z.string(),
    mean: z.tuple([z.number(), z.number(), z.number()]).default([0.5, 0.5, 0.5]),
    size: z.int().multipleOf(32).default(224),
    scale: z.union([z.number(), z.array(z.number()).min(2)]).optional(),
  }),
  train: trainSchema,
  evaluation: evaluationSchema,
  runtime: runtimeSchema,
});

const VALID = `# a run
model:
  name: smt_tiny
data:
  root: /data
train:
  epochs: 3
  batchSize: 8
  optimizer:
    name: adamw
    lr: 1e-3
`;

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'config-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function write(text: string, name = 'x.yaml'): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** The message of the error, without the folder's name. */
function complaint(text: string, set: string[] = [], name?: string): string {
  const file = write(text, name);
  try {
    loadConfig(schema, file, { set });
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message.replaceAll(`${folder}/`, '');
  }
  throw new Error('expected an error');
}

describe('loadConfig', () => {
  it('gives typed values with defaults and says what it was made from', () => {
    const file = write(VALID);
    const { config, source } = loadConfig(schema, file, { set: ['train.seed=7'] });
    expect(config.train.optimizer).toEqual({
      name: 'adamw',
      lr: 0.001,
      betas: [0.9, 0.999],
      epsilon: 1e-8,
      weightDecay: 0.05,
      decayNormsAndBiases: false,
      groups: [],
    });
    expect(config.runtime).toEqual({ engine: 'auto', precision: 'float32', xla: false, compile: true });
    expect(source).toEqual({ file, set: ['train.seed=7'] });
  });

  it('takes the example of the README', () => {
    const readme = readFileSync(join(__dirname, '../README.md'), 'utf8');
    const example = /```yaml\n(.*?)```/s.exec(readme)![1]!;
    const rest = 'model: { name: smt_tiny }\ndata: { root: /data }\n';
    expect(loadConfig(schema, write(example + rest)).config.train).toMatchObject({ epochs: 300, keep: 3, seed: 0 });
  });

  it('writes a resolved text that loads to the same configuration', () => {
    const first = loadConfig(schema, write(VALID), { set: ['data.mean=[1, 2, 3]', 'train.ema={decay: 0.99}'] });
    const second = loadConfig(schema, write(first.text, 'resolved.yaml'));
    expect(second.config).toEqual(first.config);
    expect(second.text).toBe(first.text);
  });
});

describe('errors', () => {
  it('names file, line and path of a value that is none of the choices', () => {
    expect(complaint(VALID.replace('smt_tiny', 'groupmix'))).toBe(
      "x.yaml:3: model.name: expected one of groupmixformer_tiny, groupmixformer_small, smt_tiny, received 'groupmix'",
    );
  });

  it('guesses what a mistyped value and key meant', () => {
    expect(complaint(VALID.replace('smt_tiny', 'smt_tny'))).toContain("did you mean 'smt_tiny'?");
    expect(complaint(VALID.replace('epochs: 3', 'epcohs: 3'))).toContain(
      "x.yaml:7: train.epcohs: unknown key, expected one of epochs, iterations, batchSize, accumulation, lrImages, syncBatchNorm, optimizer, schedule, clipGradNorm, ema, recompute, seed, logEvery, saveEvery, patience, keep, onSaveError, did you mean 'epochs'?",
    );
  });

  it('lists the keys of the chosen optimizer alone', () => {
    expect(complaint(`${VALID}    momentum: 0.9\n`)).toBe(
      'x.yaml:12: train.optimizer.momentum: unknown key, expected one of name, lr, decayNormsAndBiases, groups, weightDecay, betas, epsilon',
    );
  });

  it('names an unknown kind of optimizer', () => {
    expect(complaint(VALID.replace('adamw', 'adam'))).toBe(
      "x.yaml:10: train.optimizer.name: expected one of adamw, sgd, received 'adam', did you mean 'adamw'?",
    );
    expect(complaint(VALID.replace('    name: adamw\n', ''))).toBe(
      'x.yaml:9: train.optimizer.name: missing, expected one of adamw, sgd',
    );
  });

  it('lists all problems, in the order of the file', () => {
    const text = VALID.replace('epochs: 3', 'epochs: 0')
      .replace('lr: 1e-3', 'lr: fast')
      .replace('root: /data', 'size: 100');
    expect(complaint(text).split('\n')).toEqual([
      'x.yaml:4: data.root: missing, expected text',
      'x.yaml:5: data.size: expected a multiple of 32, received 100',
      'x.yaml:7: train.epochs: expected at least 1, received 0',
      "x.yaml:11: train.optimizer.lr: expected a number, received 'fast'",
    ]);
  });

  it.each([
    ['epochs: 1.5', 'x.yaml:7: train.epochs: expected a whole number, received 1.5'],
    ['epochs:', 'x.yaml:7: train.epochs: expected a whole number, received nothing'],
    ['epochs: [1]', 'x.yaml:7: train.epochs: expected a whole number, received a list'],
    ['epochs: { a: 1 }', 'x.yaml:7: train.epochs: expected a whole number, received a mapping'],
    ['epochs: .inf', 'x.yaml:7: train.epochs: expected a whole number, received Infinity'],
    ['seed: -1', 'x.yaml:7: train.seed: expected at least 0, received -1'],
    ['clipGradNorm: 0', 'x.yaml:7: train.clipGradNorm: expected more than 0, received 0'],
    ['ema: { decay: 2 }', 'x.yaml:7: train.ema.decay: expected less than 1, received 2'],
    ['onSaveError: no', "x.yaml:7: train.onSaveError: expected one of continue, stop, received 'no'"],
  ])('%s', (line, message) => {
    expect(complaint(VALID.replace('epochs: 3', line))).toContain(message);
  });

  it('says how many values a list should have', () => {
    expect(complaint(VALID.replace('root: /data', 'root: /data\n  mean: [1, 2]'))).toBe(
      'x.yaml:6: data.mean: expected at least 3 values, received 2',
    );
    expect(complaint(VALID.replace('root: /data', 'root: /data\n  mean:\n    - 1\n    - two\n    - 3'))).toBe(
      "x.yaml:8: data.mean.1: expected a number, received 'two'",
    );
  });

  it('says what a value of several kinds may be', () => {
    const withScale = (scale: string): string => VALID.replace('root: /data', `root: /data\n  scale: ${scale}`);
    expect(complaint(withScale('big'))).toBe("x.yaml:6: data.scale: expected a number or a list, received 'big'");
    expect(complaint(withScale('[1, x]'))).toBe("x.yaml:6: data.scale.1: expected a number, received 'x'");
  });

  it('reports rules that join several keys', () => {
    expect(complaint(VALID.replace('epochs: 3', 'epochs: 3\n  iterations: 5'))).toBe(
      'x.yaml:6: train: expected one of epochs and iterations',
    );
  });
});

describe('YAML', () => {
  it.each([
    [
      'duplicate keys',
      VALID.replace('epochs: 3', 'batchSize: 4'),
      "x.yaml:8: the key 'batchSize' stands here a second time",
    ],
    ['tabs', VALID.replace('  epochs', '\tepochs'), 'x.yaml:7: indented with a tab, expected spaces'],
    [
      'anchors',
      VALID.replace('/data', '&root /data'),
      'x.yaml:5: anchors and aliases are not used in configurations, found &root; write the value out or use `extends`',
    ],
    [
      'aliases',
      VALID.replace('/data', '&a /data').replace('lr: 1e-3', 'lr: *a'),
      'x.yaml:11: anchors and aliases are not used in configurations, found *a',
    ],
    ['an empty file', '', 'x.yaml: the file is empty'],
    ['comments alone', '# nothing\n', 'x.yaml: the file is empty'],
    ['a list', '- 1\n- 2\n', 'x.yaml: expected `key: value` lines at the top level'],
    ['two documents', `${VALID}---\na: 1\n`, 'x.yaml:12: a second document starts here'],
    ['an open bracket', `${VALID}runtime: [\n`, 'x.yaml:13: not valid YAML'],
    ['an unknown tag', VALID.replace('/data', '!path /data'), 'x.yaml:5: not valid YAML: unresolved tag'],
  ])('refuses %s', (_, text, message) => {
    expect(complaint(text)).toContain(message);
  });

  it('tells a problem in one line, whatever the name of the file', () => {
    const file = write(VALID.replace('epochs: 3', 'epochs: 0'), 'a\r\nb.yaml');
    expect(() => loadConfig(schema, file)).toThrow(/a b\.yaml:7: train\.epochs: expected at least 1, received 0$/);
  });

  it('names a missing file and a folder', () => {
    expect(() => loadConfig(schema, join(folder, 'none.yaml'))).toThrow(/none\.yaml: no such file/);
    expect(() => loadConfig(schema, folder)).toThrow(/expected a file, found a folder/);
  });

  it('reads numbers with an exponent as numbers', () => {
    const { config } = loadConfig(schema, write(VALID.replace('1e-3', '5e-05')));
    expect(config.train.optimizer.lr).toBe(5e-5);
  });
});

describe('extends', () => {
  it('lays a file over the one it extends, key by key', () => {
    write(VALID, 'base.yaml');
    const { config, source } = loadConfig(schema, write('extends: base.yaml\ntrain:\n  batchSize: 2\n', 'child.yaml'));
    expect([config.train.batchSize, config.train.epochs, config.model.name]).toEqual([2, 3, 'smt_tiny']);
    expect(source.extends).toBe(join(folder, 'base.yaml'));
  });

  it('takes a path from the root of the file system as it is', () => {
    const base = write(VALID, 'base.yaml');
    const { source } = loadConfig(schema, write(`extends: ${base}\ntrain:\n  batchSize: 2\n`, 'child.yaml'));
    expect(source.extends).toBe(base);
  });

  it('finds the base beside the file', () => {
    mkdirSync(join(folder, 'sub'));
    write(VALID, 'base.yaml');
    expect(loadConfig(schema, write('extends: ../base.yaml\n', 'sub/child.yaml')).config.train.epochs).toBe(3);
  });

  it('names the file a wrong value stands in', () => {
    write(VALID.replace('epochs: 3', 'epochs: 0'), 'base.yaml');
    expect(complaint('extends: base.yaml\nmodel:\n  name: smt\n')).toBe(
      "x.yaml:3: model.name: expected one of groupmixformer_tiny, groupmixformer_small, smt_tiny, received 'smt', did you mean 'smt_tiny'?\n" +
        'base.yaml:7: train.epochs: expected at least 1, received 0',
    );
  });

  it('replaces an optimizer of another name instead of mixing the two', () => {
    write(VALID.replace('lr: 1e-3', 'lr: 1e-3\n    betas: [0.9, 0.99]'), 'base.yaml');
    const child = 'extends: base.yaml\ntrain:\n  optimizer:\n    name: sgd\n    lr: 0.1\n';
    expect(loadConfig(schema, write(child)).config.train.optimizer).toMatchObject({ name: 'sgd', momentum: 0.9 });
  });

  it.each([
    ['itself', 'extends: x.yaml\n', 'x.yaml:1: extends: a configuration cannot extend itself'],
    ['a missing file', '\nextends: no.yaml\n', 'x.yaml:2: extends: no.yaml: no such file'],
    ['a list', 'extends: [a.yaml]\n', 'x.yaml:1: extends: expected the path of one configuration, beside this one'],
    [
      'two levels',
      'extends: mid.yaml\n',
      'x.yaml:1: extends: mid.yaml extends another configuration itself; only one level is allowed',
    ],
    [
      'in a circle',
      'extends: back.yaml\n',
      'x.yaml:1: extends: back.yaml extends another configuration itself; only one level is allowed',
    ],
    ['a broken file', 'extends: broken.yaml\n', "broken.yaml:2: the key 'a' stands here a second time"],
  ])('refuses to extend %s', (_, text, message) => {
    write(VALID, 'base.yaml');
    write('extends: base.yaml\n', 'mid.yaml');
    write('extends: x.yaml\n', 'back.yaml');
    write('a: 1\na: 2\n', 'broken.yaml');
    expect(complaint(text)).toBe(message);
  });
});

describe('--set', () => {
  it('overrides in order, lists and mappings included, and makes what is missing', () => {
    const set = [
      'train.epochs=9',
      'train.epochs=1',
      'data.mean=[1, 1, 1]',
      'data.mean.1=0.25',
      'train.ema.decay=0.9',
      'data.scale=[1, 2]',
    ];
    const { config } = loadConfig(schema, write(VALID), { set });
    expect([config.train.epochs, config.data.mean, config.train.ema, config.data.scale]).toEqual([
      1,
      [1, 0.25, 1],
      { decay: 0.9 },
      [1, 2],
    ]);
  });

  it('keeps text where the schema wants text', () => {
    const load = (value: string): string =>
      loadConfig(schema, write(VALID), { set: [`data.root=${value}`] }).config.data.root;
    expect([load('12'), load('a: b=c'), load('')]).toEqual(['12', 'a: b=c', '']);
  });

  it.each([
    ['train.epoch=1', /^--set train\.epoch=1: unknown key, expected one of epochs, .*did you mean 'epochs'\?$/],
    ['trian.epochs=1', /^--set trian\.epochs=1: trian: unknown key, .*did you mean 'train'\?$/],
    ['train.epochs=0', /^--set train\.epochs=0: expected at least 1, received 0$/],
    ['train.epochs=ten', /^--set train\.epochs=ten: expected a whole number, received 'ten'$/],
    ['train.epochs.a=1', /^--set train\.epochs\.a=1: train\.epochs: expected a whole number, received a mapping$/],
    [
      'train.optimizer={name: sgd}',
      /^--set train\.optimizer=\{name: sgd\}: train\.optimizer\.lr: missing, expected a number$/,
    ],
    ['train.epochs', /^--set train\.epochs: expected KEY=VALUE, for instance train\.epochs=1$/],
    ['=1', /^--set =1: expected KEY=VALUE/],
    ['train..epochs=1', /^--set train\.\.epochs=1: expected KEY=VALUE/],
    ['data.mean.7=1', /^--set data\.mean\.7=1: /],
  ])('complains about %s', (override, message) => {
    expect(complaint(VALID, [override])).toMatch(message);
  });

  it('carries the exit code 2 and the problems', () => {
    const file = write(VALID);
    const load = (): unknown => loadConfig(schema, file, { set: ['train.epochs=0'] });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(expect.objectContaining({ exitCode: 2, problems: [expect.objectContaining({ path: '' })] }));
  });
});

describe('a backbone', () => {
  const own = z.strictObject({
    backbone: backboneSchema(['big'], ({ channels, depths }) => {
      if (depths !== undefined) throw new Error('nobody is to make a family of impossible depths');
      return channels?.[0] === 7
        ? { size: 'channels', message: 'big: expected channels in multiples of 8' }
        : undefined;
    }),
  });
  const read = (text: string, ...set: string[]) => loadConfig(own, write(text), { set }).config;

  it('has sizes that its family can have, or the line says which cannot be', () => {
    expect(read('backbone:\n  name: big\n  channels: [8, 8, 8, 8]\n').backbone.channels).toEqual([8, 8, 8, 8]);
    expect(() => read('backbone:\n  name: big\n  channels: [7, 8, 8, 8]\n')).toThrow(
      /x\.yaml:3: backbone\.channels: big: expected channels in multiples of 8$/,
    );
    expect(() => read('backbone: { name: big }\n', 'backbone.channels=[7, 8, 8, 8]')).toThrow(
      '--set backbone.channels=[7, 8, 8, 8]: big: expected channels in multiples of 8',
    );
    expect(() => read('backbone: { name: big, depths: [1, 1, 1e9, 1] }\n')).toThrow(
      'backbone.depths.2: expected at most 1000, received 1000000000',
    );
  });
});
