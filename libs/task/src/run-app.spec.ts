import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '@pyramidal/config';
import { runApp } from './run-app';
import type { TaskApp } from './task-app';

/** A program that notes what it was asked. */
function notingApp(): { app: TaskApp; calls: unknown[] } {
  const calls: unknown[] = [];
  const note =
    (name: string, code: number) =>
    async (command: object): Promise<number> => {
      calls.push({ name, ...command });
      return code;
    };
  const app: TaskApp = {
    name: 'pyramidal-test',
    description: 'for tests',
    train: note('train', 130),
    evaluate: note('eval', 0),
    predict: note('predict', 0),
    exportModel: note('export', 0),
    info: note('info', 0),
    data: note('data', 1),
    serve: note('serve', 0),
  };
  return { app, calls };
}

async function run(app: TaskApp, line: string): Promise<{ code: number; stderr: string }> {
  let stderr = '';
  const write = (text: string): void => void (stderr += text);
  const code = await runApp(app, { argv: line.split(' ').filter(Boolean), stderr: { write } });
  return { code, stderr };
}

describe('runApp', () => {
  it('hands a command its arguments and gives back its exit code', async () => {
    const { app, calls } = notingApp();
    expect(await run(app, 'train configs/a.yaml --resume --set a.b=1 --set c=2')).toEqual({ code: 130, stderr: '' });
    expect(await run(app, 'predict x.yaml 1.jpg 2.jpg --weights w.safetensors --attention')).toEqual({
      code: 0,
      stderr: '',
    });
    expect(await run(app, 'info x.yaml --input 64x96')).toEqual({ code: 0, stderr: '' });
    expect(await run(app, 'train --resume a.safetensors x.yaml')).toMatchObject({ stderr: '' });
    expect(await run(app, 'train --resume x.yaml')).toMatchObject({ stderr: '' });
    expect(await run(app, 'data x.yaml --set a=1')).toEqual({ code: 1, stderr: '' });
    expect(calls.pop()).toEqual({ name: 'data', config: 'x.yaml', set: ['a=1'] });
    expect(calls).toEqual([
      { name: 'train', config: 'configs/a.yaml', out: 'runs/a', resume: true, progress: 'live', set: ['a.b=1', 'c=2'] },
      {
        name: 'predict',
        attention: true,
        config: 'x.yaml',
        images: ['1.jpg', '2.jpg'],
        out: 'runs/x/predictions',
        polygons: false,
        score: undefined,
        set: [],
        truth: undefined,
        weights: 'w.safetensors',
      },
      { name: 'info', config: 'x.yaml', input: { height: 64, width: 96 }, resolved: false, set: [] },
      { name: 'train', config: 'x.yaml', out: 'runs/x', resume: 'a.safetensors', progress: 'live', set: [] },
      { name: 'train', config: 'x.yaml', out: 'runs/x', resume: true, progress: 'live', set: [] },
    ]);
  });

  it('trains quietly or for programs when asked, and not both', async () => {
    const { app, calls } = notingApp();
    await run(app, 'train x.yaml --quiet');
    await run(app, 'train x.yaml --json');
    expect(calls).toMatchObject([{ progress: 'quiet' }, { progress: 'json' }]);
    expect(await run(app, 'train x.yaml --json --quiet')).toEqual({
      code: 2,
      stderr: expect.stringMatching(/'--json' cannot be used with option '--quiet'/),
    });
  });

  it('opens a recipe on a backbone, and names the run after both', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'recipes-'));
    mkdirSync(join(folder, 'test'));
    writeFileSync(join(folder, 'test/long.yaml'), 'lr: 1\n');
    const table =
      'sources: { a: A }\ntrainings: { test: { long: [{ source: a, backbones: { big: { top1: 80.0 } } }] } }\n';
    writeFileSync(join(folder, 'published.yaml'), table);
    const { app, calls } = notingApp();
    const withRecipes = { ...app, recipes: { task: 'test', folders: [folder] } };
    expect(await run(withRecipes, 'train --recipe long --backbone big')).toEqual({ code: 130, stderr: '' });
    const line = 'predict --recipe long --backbone big --weights w.pth 1.jpg 2.jpg';
    expect(await run(withRecipes, line)).toEqual({ code: 0, stderr: '' });
    rmSync(folder, { recursive: true });
    const note = 'long on big: published top-1 80.0 % (A)';
    const config = expect.objectContaining({ recipe: 'long', backbone: 'big', note });
    expect(calls).toMatchObject([
      { name: 'train', config, out: 'runs/long_big' },
      { name: 'predict', config, images: ['1.jpg', '2.jpg'], out: 'runs/long_big/predictions' },
    ]);
  });

  it.each([
    ['serve --weights w.pth --host=', /^pyramidal-test serve: .*expected an address, received ''\n$/],
    ['train x.yaml --\u001b[2J', /^pyramidal-test train: unknown option '--\\u001b\[2J'; known options: [ -~]+\n$/],
    [
      'train x.yaml --epochs 3',
      /^pyramidal-test train: unknown option '--epochs'; known options: --recipe, --backbone, --set, --debug, --out, --resume, --quiet, --json\n$/,
    ],
    [
      'trian x.yaml',
      /^pyramidal-test: unknown command 'trian'; expected one of train, eval, predict, export, info, data, serve, report\n$/,
    ],
    ['eval x.yaml', /^pyramidal-test eval: required option '--weights <path>' not specified\n$/],
    ['train x.yaml --set a={b: c}', /expected '}' at the end; quote it, and write --set=KEY=VALUE through Nx\n$/],
    [
      'train x.yaml --resume runs/x',
      /Expected 1 argument but got 2\. --resume takes a checkpoint, FILE\.safetensors, or nothing; the folder of the run is told by --out\n$/,
    ],
    [
      'train x.yaml --out=',
      /^pyramidal-test train: .*'--out <dir>' argument '' is invalid. expected a path, received ''\n$/,
    ],
    [
      'eval --weights=',
      /^pyramidal-test eval: .*'--weights <path>' argument '' is invalid. expected a path, received ''\n$/,
    ],
    ['train', /^pyramidal-test: expected a configuration, or --recipe and --backbone\n$/],
    ['train --recipe mask-rcnn_3x', /^--recipe mask-rcnn_3x: pyramidal-test has no recipes\n$/],
    [
      'train x.yaml --recipe mask-rcnn_3x',
      /^--recipe mask-rcnn_3x: expected no configuration beside it, received x\.yaml\n$/,
    ],
    [
      'train x.yaml --backbone smt_tiny',
      /^--backbone goes with --recipe; for a configuration, --set model\.backbone\.name/,
    ],
    ['predict x.yaml --weights w.pth', /^pyramidal-test predict: expected at least one image\n$/],
    ['info', /^pyramidal-test: expected a configuration, or --recipe and --backbone\n$/],
    ['predict --weights w.pth', /^pyramidal-test predict: expected at least one image\n$/],
    ['info x.yaml --input big', /expected HEIGHTxWIDTH of at least 32x32, such as 224x224, received 'big'\n$/],
  ])('%s: one line and exit code 2', async (line, expected) => {
    const { code, stderr } = await run(notingApp().app, line);
    expect(stderr).toMatch(expected);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(2);
  });

  it('repeats of what was typed no more than tells where it is', async () => {
    const { stderr } = await run(notingApp().app, `train x.yaml --set a=${'['.repeat(50_000)}`);
    expect(stderr.length).toBeLessThan(600);
    expect(stderr).toMatch(
      /^pyramidal-test train: option '--set <key=value>' argument 'a=\[+ \.\.\. .*write --set=KEY=VALUE through Nx\n$/,
    );
  });

  it.each([
    [new UsageError('x.yaml:3: train.epochs: expected at least 1'), 2],
    [new Error('the disk is full'), 1],
    [Object.assign(new Error('not finite'), { exitCode: 1 }), 1],
  ])('prints only the message, case %#', async (error, expected) => {
    const { app } = notingApp();
    const failing = { ...app, train: () => Promise.reject(error) };
    expect(await run(failing, 'train x.yaml')).toEqual({ code: expected, stderr: `${error.message}\n` });
  });

  it('puts results into the run that the weights come from, unless told where', async () => {
    const run1 = mkdtempSync(join(tmpdir(), 'run-app-'));
    for (const name of ['run.json', 'best.safetensors', 'last.safetensors']) writeFileSync(join(run1, name), '');
    const { app, calls } = notingApp();
    await run(app, `eval x.yaml --weights ${run1}`);
    await run(app, `export x.yaml --weights ${run1}/last.safetensors`);
    await run(app, `eval x.yaml --weights ${run1} --out elsewhere`);
    rmSync(run1, { recursive: true });
    expect(calls).toMatchObject([
      { name: 'eval', weights: join(run1, 'best.safetensors'), out: join(run1, 'eval') },
      { name: 'export', weights: join(run1, 'last.safetensors'), out: join(run1, 'export') },
      { name: 'eval', weights: join(run1, 'best.safetensors'), out: 'elsewhere' },
    ]);
  });

  it('takes the folder of a run for its configuration, and goes on there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'run-app-'));
    const config = join(folder, 'config.yaml');
    const checkpoint = join(folder, 'step-00000002.safetensors');
    for (const file of ['run.json', 'config.yaml', 'step-00000002.safetensors']) writeFileSync(join(folder, file), '');
    const { app, calls } = notingApp();
    for (const line of [
      `train --resume ${folder}`,
      `train ${folder} --resume`,
      `train --resume ${checkpoint}`,
      `train ${config}`,
      `train ${folder} --out elsewhere`,
      `info ${folder}`,
      `eval ${folder} --weights w.pth`,
    ]) {
      expect(await run(app, line)).toMatchObject({ stderr: '' });
    }
    rmSync(folder, { recursive: true });
    expect(calls).toMatchObject([
      { name: 'train', config, out: folder, resume: true },
      { name: 'train', config, out: folder, resume: true },
      { name: 'train', config, out: folder, resume: checkpoint },
      { name: 'train', config, out: folder, resume: false },
      { name: 'train', config, out: 'elsewhere', resume: false },
      { name: 'info', config },
      { name: 'eval', config, out: join(folder, 'eval') },
    ]);
  });

  it('says what it expected of a folder without a run', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'run-app-'));
    const { app } = notingApp();
    const { code, stderr } = await run(app, `train --resume ${folder}`);
    rmSync(folder, { recursive: true });
    const expected = 'expected a configuration, or the folder of a run with config.yaml';
    expect({ code, stderr }).toEqual({ code: 2, stderr: `${folder}: ${expected}\n` });
  });

  it('needs no configuration beside weights, which bring theirs along', async () => {
    const { app, calls } = notingApp();
    for (const line of ['predict a.jpg b.jpg', 'eval', 'export', 'info']) {
      expect(await run(app, `${line} --weights some/best.safetensors`)).toEqual({ code: 0, stderr: '' });
    }
    await run(app, 'predict x.yaml a.jpg --weights w.safetensors');
    await run(app, 'eval x.json --weights w.safetensors');
    const [weights, config] = ['some/best.safetensors', undefined];
    expect(calls).toMatchObject([
      { name: 'predict', config, weights, images: ['a.jpg', 'b.jpg'], out: 'runs/best/predictions' },
      { name: 'eval', config, weights, out: 'runs/best/eval' },
      { name: 'export', config, weights, out: 'runs/best/export' },
      { name: 'info', config, weights },
      { name: 'predict', config: 'x.yaml', images: ['a.jpg'], out: 'runs/x/predictions' },
      { name: 'eval', config: 'x.json' },
    ]);
  });

  it('takes --score, --polygons and --truth where objects are found', async () => {
    const { app, calls } = notingApp();
    const line = 'predict x.yaml a.jpg --weights w.pth --score';
    expect(await run(app, `${line} 0.3`)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/unknown option '--score'/),
    });
    await run({ ...app, findsObjects: true }, `${line} 0.3`);
    await run({ ...app, findsObjects: true }, `${line} 0.5 --polygons --truth val.json`);
    expect(calls).toMatchObject([
      { name: 'predict', score: 0.3, polygons: false },
      { name: 'predict', score: 0.5, polygons: true, truth: 'val.json' },
    ]);
    expect(await run({ ...app, findsObjects: true }, `${line} 3`)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/expected a number from 0 to 1, received '3'\n$/),
    });
  });

  it('looks at runs, at a configuration, or at files', async () => {
    const { app, calls } = notingApp();
    const inspect = async (command: object): Promise<number> => calls.push({ name: 'inspect', ...command }) * 0;
    const program = { ...app, inspect, inspectsFiles: true };
    const lines = ['a b --port 0', 'x.yaml --set a=1', '--annotations a.json --results b.json c.json --images d'];
    for (const line of lines) expect(await run(program, `inspect ${line}`)).toEqual({ code: 0, stderr: '' });
    const none = { runs: [], config: undefined, files: undefined, set: [], port: 8081 };
    const files = { annotations: 'a.json', images: 'd', results: ['b.json', 'c.json'] };
    expect(calls).toEqual([
      { name: 'inspect', ...none, runs: ['a', 'b'], port: 0 },
      { name: 'inspect', ...none, config: 'x.yaml', set: ['a=1'] },
      { name: 'inspect', ...none, files },
    ]);
  });

  it.each([
    ['', /^pyramidal-test inspect: expected one or two runs, a configuration, or --annotations, received nothing\n$/],
    ['a b c', /received a b c\n$/],
    ['x.yaml a', /received x\.yaml a\n$/],
    ['a --annotations b.json', /received a\n$/],
    ['a --results b.json', /^pyramidal-test inspect: --images and --results go with --annotations\n$/],
    ['a --port 70000', /expected a whole number from 0 to 65535, received '70000'\n$/],
  ])('has nothing to look at: inspect %s', async (line, expected) => {
    const { app } = notingApp();
    const { code, stderr } = await run({ ...app, inspect: async () => 0, inspectsFiles: true }, `inspect ${line}`);
    expect(stderr).toMatch(expected);
    expect(code).toBe(2);
  });

  it('tells its version', async () => {
    const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    expect(await run(notingApp().app, '--version')).toEqual({ code: 0, stderr: '' });
    expect(write).toHaveBeenCalledWith(expect.stringMatching(/^\d+\.\d+\.\d+\n$/));
    write.mockRestore();
  });

  it('adds the stack with --debug', async () => {
    const { app } = notingApp();
    const failing = { ...app, train: () => Promise.reject(new Error('broken')) };
    const { stderr } = await run(failing, 'train x.yaml --debug');
    expect(stderr).toMatch(/^broken\nError: broken\n\s+at /);
  });

  it('shows help when nothing is asked', async () => {
    const { code, stderr } = await run(notingApp().app, '');
    expect(stderr).toContain('Usage: pyramidal-test');
    expect(code).toBe(2);
  });
});
