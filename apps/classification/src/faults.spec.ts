/** A fault of the program in any layer, from the configuration to the results: one line, exit code 1, no stack. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportWeights, writeSafetensors } from '@pyramidal/checkpoints';
import { blankImage, encodeImage } from '@pyramidal/images';
import type { Classifier } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { runApp, type TaskApp } from '@pyramidal/task';
import { classification } from './classification';
import { evaluate } from './commands/evaluate';
import { exportModel } from './commands/export';
import { predict } from './commands/predict';
import { train } from './commands/train';
import { classificationDefinition, type ClassificationDefinition } from './definition';

const CONFIG = `data: { root: DATA, workers: 0 }
model: { backbone: { name: groupmixformer_miny, channels: [10, 10, 10, 10], depths: [1, 1, 1, 1] } }
input: { size: 32 }
train: { epochs: 1, batchSize: 2, optimizer: { name: adamw, lr: 1.0e-3 }, schedule: { name: cosine }, logEvery: 1 }
runtime: { engine: cpu, compile: false }
`;

const definition = classificationDefinition();
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'faults-'));
  writeFileSync(join(folder, 'toy.yaml'), CONFIG.replace('DATA', join(folder, 'data')));
  writeFileSync(join(folder, 'taken'), 'a file where a folder would be');
  const picture = await encodeImage(blankImage({ width: 32, height: 32 }, [200, 30, 30]), 'jpeg');
  for (const place of ['train/a', 'train/b', 'val/a', 'val/b']) {
    mkdirSync(join(folder, 'data', place), { recursive: true });
    writeFileSync(join(folder, 'data', place, '0.jpg'), picture);
  }
  await openRuntime({ engine: 'cpu' });
  const config = definition.schema.parse({
    data: { root: folder },
    model: { backbone: { name: 'groupmixformer_miny', channels: [10, 10, 10, 10], depths: [1, 1, 1, 1] } },
    train: { epochs: 1, batchSize: 2, optimizer: { name: 'adamw', lr: 1e-3 }, schedule: { name: 'cosine' } },
  });
  const network = definition.assemble(config, 2);
  network.initialize(0);
  writeSafetensors(join(folder, 'w.safetensors'), await exportWeights(network));
  network.dispose();
  for (const method of ['log', 'error'] as const) jest.spyOn(console, method).mockImplementation();
});
afterAll(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

async function run(own: Partial<ClassificationDefinition>, line: string): Promise<{ code: number; stderr: string }> {
  const changed = { ...definition, ...own };
  const app: TaskApp = {
    ...classification,
    train: (command) => train(changed, command),
    evaluate: (command) => evaluate(changed, command),
    predict: (command) => predict(changed, command),
    exportModel: (command) => exportModel(changed, command),
  };
  let stderr = '';
  const argv = line.split(' ').map((word) => word.replace('DIR', folder));
  const code = await runApp(app, { argv, stderr: { write: (text) => (stderr += text) } });
  return { code, stderr };
}

const fault = (): never => {
  throw new TypeError("Cannot read properties of undefined (reading 'metric')");
};
const deep = (): never => deep();
const FAULT = "unexpected error: Cannot read properties of undefined (reading 'metric') (--debug shows where)\n";
const DEEP = 'unexpected error: Maximum call stack size exceeded (--debug shows where)\n';

/** A definition whose networks fail when they are used. */
const failing = (mode: 'train' | 'infer', fail: () => never): Partial<ClassificationDefinition> => ({
  assemble(config, classes): Classifier {
    const network = definition.assemble(config, classes);
    const forward = network.forward.bind(network);
    network.forward = (images, pass) => (pass.mode === mode ? fail() : forward(images, pass));
    return network;
  },
});

/** The schema with a check that itself fails. */
const failingSchema = definition.schema.superRefine(fault) as typeof definition.schema;

const TRAIN = 'train DIR/toy.yaml --out DIR/run';
const EVAL = 'eval DIR/toy.yaml --weights DIR/w.safetensors --out DIR/eval';
const EXPORT = 'export DIR/toy.yaml --weights DIR/w.safetensors --out DIR/export';
const PREDICT = 'predict DIR/toy.yaml DIR/data/val/a/0.jpg --weights DIR/w.safetensors --out DIR/predictions';

it.each<[string, Partial<ClassificationDefinition>, string, string | RegExp]>([
  ['the configuration', { schema: failingSchema }, EVAL, FAULT],
  ['the data', { open: fault }, EXPORT, FAULT],
  ['the data, deeply', { open: deep }, PREDICT, DEEP],
  ['the network', { assemble: fault }, `${TRAIN}-0`, FAULT],
  ['a step', failing('train', fault), `${TRAIN}-1`, FAULT],
  ['a step, deeply', failing('train', deep), `${TRAIN}-2`, DEEP],
  ['the evaluation in training', failing('infer', fault), `${TRAIN}-3`, FAULT],
  ['the evaluation', failing('infer', fault), EVAL, FAULT],
  ['a prediction', failing('infer', fault), PREDICT, FAULT],
  ['writing a run', {}, 'train DIR/toy.yaml --out DIR/taken/run', /^\S*taken\/run: cannot be written: .+\n$/],
  ['writing an evaluation', {}, EVAL.replace('DIR/eval', 'DIR/taken'), /^\S*taken: cannot be written: .+\n$/],
  ['writing predictions', {}, PREDICT.replace('DIR/predictions', 'DIR/taken'), /^\S*taken: cannot be written: .+\n$/],
  ['writing an export', {}, EXPORT.replace('DIR/export', 'DIR/taken'), /^\S*taken: cannot be .+\n$/],
])('a fault in %s is one line', async (_, own, line, message) => {
  const { code, stderr } = await run(own, line);
  if (typeof message === 'string') expect(stderr).toBe(message);
  else expect(stderr).toMatch(message);
  expect(code).toBe(1);
});

it.each([
  ['true', 'on the engine cpu'],
  ['false', 'without runtime.compile'],
])('training with XLA where there is none is refused in one line', async (compile, where) => {
  expect(await run({}, `${TRAIN}-xla --set runtime.xla=true --set runtime.compile=${compile}`)).toEqual({
    code: 2,
    stderr: `runtime.xla: expected false ${where}, received true, which needs compiled steps on tensorflow or tensorflow-gpu\n`,
  });
});

it.each([
  ['bf16', 'true', 'on the engine cpu'],
  ['fp16', 'false', 'without runtime.compile'],
])('training in %s where only float32 is to be had is refused in one line', async (precision, compile, where) => {
  const settings = `--set runtime.precision=${precision} --set runtime.compile=${compile}`;
  expect(await run({}, `${TRAIN}-half ${settings}`)).toEqual({
    code: 2,
    stderr: `runtime.precision: expected float32 ${where}, received ${precision}, which needs compiled steps on tensorflow or tensorflow-gpu\n`,
  });
});
