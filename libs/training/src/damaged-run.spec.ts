/** What a run does with damaged or missing files of its folder: error texts and what it goes on from. */
import * as tf from '@tensorflow/tfjs-core';
import { Linear } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { loadWeightsFile } from './load-weights-file';
import { openRunFolder } from './run/run-folder';
import { sgd } from './sgd';
import { train } from './train';
import { trainStep } from './train-step';

/** Every file of a run's folder, damaged in every way: resuming goes on with the right numbers, or says why not. */

let root: string;
let folder: string;
let output = '';
const stream = new Writable({
  write(chunk, _, done) {
    output += String(chunk);
    done();
  },
});

async function run(resume: boolean | string, iterations = 6): Promise<number> {
  const run = openRunFolder({ folder, resume, config: 'a: 1\n' });
  const module = new Linear(2, 1);
  module.initialize(1);
  const loss = ({ x }: tf.NamedTensorMap) => ({ loss: tf.mean(tf.square(module.forward(x!))) as tf.Scalar });
  const step = trainStep({ module, loss, optimizer: sgd(module.parameters(), { momentum: 0.9 }) });
  async function* epoch(_: number, firstBatch: number): AsyncGenerator<tf.NamedTensorMap> {
    for (let batch = firstBatch; batch < 8; batch++) yield { x: tf.tensor2d([[1, batch]]) };
  }
  try {
    const outcome = await train({
      folder: run,
      step,
      data: { batchesPerEpoch: 8, batchSize: 1, epoch },
      length: { iterations },
      schedule: () => 0.01,
      ...{ seed: 1, logEvery: 1, saveEvery: 2, keep: 2, stream },
      evaluation: { every: 3, run: async ({ step }) => ({ score: step }), best: { metric: 'score' } },
    });
    return outcome.step;
  } finally {
    run.close();
    step.dispose();
    module.dispose();
  }
}

const failure = async (resume: boolean | string = true): Promise<string> => {
  try {
    return `reached step ${await run(resume, 8)}`;
  } catch (error) {
    return (error as Error).message.replaceAll(`${root}/`, '');
  }
};

/** What stands in a folder, by name. */
const contents = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => !name.startsWith('events.'))
      .map((name) => {
        const path = join(folder, name);
        const stats = lstatSync(path);
        if (!stats.isFile()) return [name, stats.isDirectory() ? 'folder' : 'link'];
        return [name, createHash('sha256').update(readFileSync(path)).digest('hex')];
      }),
  );

let whole: string;
beforeAll(async () => {
  await openRuntime({ engine: 'cpu' });
  root = mkdtempSync(join(tmpdir(), 'damaged-'));
  folder = join(root, 'whole');
  await run(false, 8);
  whole = contents()['last.safetensors']!;
  folder = join(root, 'source');
  await run(false);
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  output = '';
  folder = join(root, 'run');
  cpSync(join(root, 'source'), folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Damage = (path: string) => void;
const DAMAGES = {
  missing: (path) => rmSync(path),
  empty: (path) => truncateSync(path, 0),
  truncated: (path) => truncateSync(path, Math.floor(lstatSync(path).size * 0.7)),
  zeroed: (path) => {
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0, Math.max(bytes.length - 10, 0)));
  },
  mistyped: (path) => writeFileSync(path, '[1, "a"]\n'),
  folder: (path) => {
    rmSync(path);
    mkdirSync(path);
  },
  link: (path) => {
    renameSync(path, join(root, 'elsewhere'));
    symlinkSync(join(root, 'elsewhere'), path);
  },
} satisfies Record<string, Damage>;

const goesOn = 'reached step 8';
const inTheWay = (name: string, what: string): string =>
  `run/${name}: cannot be written: it is ${what}, expected a file or nothing`;
const soundOne =
  /; --resume run\/step-00000006.safetensors goes on from a sound one \(sound too: step-00000004.safetensors\)$/;

/** What `--resume` says of each file in each state. */
const EXPECTED: Record<string, Record<keyof typeof DAMAGES, string | RegExp>> = {
  'last.safetensors': {
    missing: goesOn,
    empty: soundOne,
    truncated: soundOne,
    zeroed: soundOne,
    mistyped: soundOne,
    folder: inTheWay('last.safetensors', 'a folder'),
    link: inTheWay('last.safetensors', 'a symbolic link'),
  },
  'step-00000006.safetensors': {
    missing: goesOn,
    empty: goesOn,
    truncated: goesOn,
    zeroed: goesOn,
    mistyped: goesOn,
    folder: goesOn,
    link: goesOn,
  },
  'step-00000004.safetensors': {
    missing: goesOn,
    empty: goesOn,
    truncated: goesOn,
    zeroed: goesOn,
    mistyped: goesOn,
    folder: goesOn,
    link: goesOn,
  },
  'best.safetensors': {
    missing: goesOn,
    empty: goesOn,
    truncated: goesOn,
    zeroed: goesOn,
    mistyped: goesOn,
    folder: inTheWay('best.safetensors', 'a folder'),
    link: inTheWay('best.safetensors', 'a symbolic link'),
  },
  'best.json': {
    missing: goesOn,
    empty: 'run/best.json: is empty, expected JSON',
    truncated: /^run\/best.json: is not JSON: /,
    zeroed: /^run\/best.json: is not JSON: /,
    mistyped: /^run\/best.json: Invalid input: expected object, received array$/,
    folder: inTheWay('best.json', 'a folder'),
    link: inTheWay('best.json', 'a symbolic link'),
  },
  'run.json': {
    missing: goesOn,
    empty: 'run/run.json: is empty, expected JSON',
    truncated: /^run\/run.json: is not JSON: /,
    zeroed: /^run\/run.json: is not JSON: /,
    mistyped: /^run\/run.json: Invalid input: expected object, received array$/,
    folder: inTheWay('run.json', 'a folder'),
    link: inTheWay('run.json', 'a symbolic link'),
  },
  'metrics.jsonl': {
    missing: goesOn,
    empty: goesOn,
    truncated: goesOn,
    zeroed: goesOn,
    mistyped: /^run\/metrics.jsonl:1: Invalid input: expected object, received array$/,
    folder: inTheWay('metrics.jsonl', 'a folder'),
    link: inTheWay('metrics.jsonl', 'a symbolic link'),
  },
  'config.yaml': {
    missing: goesOn,
    empty: goesOn,
    truncated: goesOn,
    zeroed: goesOn,
    mistyped: goesOn,
    folder: inTheWay('config.yaml', 'a folder'),
    link: inTheWay('config.yaml', 'a symbolic link'),
  },
};

const CASES = Object.entries(EXPECTED).flatMap(([name, damages]) =>
  (Object.keys(damages) as (keyof typeof DAMAGES)[]).map((damage) => [name, damage, damages[damage]] as const),
);

describe('a damaged run', () => {
  it.each(CASES)('%s %s', async (name, damage, expected) => {
    DAMAGES[damage](join(folder, name));
    const before = contents();
    const message = await failure();
    expect(message).toMatch(expected);
    expect(message).not.toMatch(/[\n\r]/);
    if (message === goesOn) expect(contents()['last.safetensors']).toBe(whole);
    else expect(contents()).toEqual(before);
    expect(existsSync(join(folder, 'run.lock'))).toBe(false);
  });

  it('goes on from the newest sound numbered checkpoint, and says so', async () => {
    rmSync(join(folder, 'last.safetensors'));
    DAMAGES.zeroed(join(folder, 'step-00000006.safetensors'));
    expect(await failure()).toBe(goesOn);
    expect(output).toContain('last.safetensors is missing: going on from step-00000004.safetensors (step 4)\n');
    expect(contents()['last.safetensors']).toBe(whole);
  });

  it('has a last checkpoint again, even where nothing was left to do', async () => {
    const before = contents()['last.safetensors'];
    rmSync(join(folder, 'last.safetensors'));
    expect(await run(true, 6)).toBe(6);
    expect(contents()['last.safetensors']).toBe(before);
  });

  it('goes on from a checkpoint that is named', async () => {
    DAMAGES.zeroed(join(folder, 'last.safetensors'));
    expect(await failure('step-00000004.safetensors')).toBe(goesOn);
    expect(contents()['last.safetensors']).toBe(whole);
    expect(await failure('none.safetensors')).toBe('run/none.safetensors: cannot be opened: no such file or folder');
  });

  it('does not start anew over a best checkpoint, and keeps the log where it does', async () => {
    for (const name of readdirSync(folder)) if (/^(last|step)/.test(name)) rmSync(join(folder, name));
    const before = contents();
    expect(await failure()).toBe(
      "run: last.safetensors is missing, and best.safetensors holds the weights of its step without the optimizer's state, so that " +
        'no run goes on from it: --set model.weights=run/best.safetensors and another --out start from these weights; ' +
        'where it is moved away, --resume starts anew',
    );
    expect(await failure('best.safetensors')).toBe(
      'run/best.safetensors: holds no state of the optimizer, which a run needs to go on; ' +
        '--set model.weights=run/best.safetensors and another --out start from the weights',
    );
    expect(contents()).toEqual(before);
    rmSync(join(folder, 'best.safetensors'));
    rmSync(join(folder, 'best.json'));
    expect(await failure()).toBe(goesOn);
    expect(output).toContain('holds no checkpoint yet, training starts anew');
    expect(contents()['metrics.1.jsonl']).toBe(before['metrics.jsonl']);
  });

  it('says which of the others are not sound where the last checkpoint is gone', async () => {
    rmSync(join(folder, 'last.safetensors'));
    for (const name of readdirSync(folder)) if (name.startsWith('step')) DAMAGES.empty(join(folder, name));
    DAMAGES.zeroed(join(folder, 'best.safetensors'));
    const steps = 'step-00000006.safetensors, step-00000004.safetensors';
    expect(await failure()).toMatch(
      new RegExp(
        `^run: last.safetensors is missing, and ${steps} not sound, run/best.safetensors: is damaged: .*; --out takes`,
      ),
    );
    rmSync(join(folder, 'best.safetensors'));
    expect(await failure()).toBe(
      `run: last.safetensors is missing, and of ${steps} none is sound; --out takes another folder`,
    );
  });

  it('knows the best value from the checkpoint where its record is gone', async () => {
    rmSync(join(folder, 'best.json'));
    const best = contents()['best.safetensors'];
    const low = { metric: 'score', value: 100, step: 6 };
    expect(await failure()).toBe(goesOn);
    expect(contents()['best.safetensors']).not.toBe(best); // step 8 is better than step 6
    writeFileSync(join(folder, 'best.json'), JSON.stringify(low));
    expect(await failure()).toBe(goesOn);
    expect(JSON.parse(readFileSync(join(folder, 'best.json'), 'utf8'))).toEqual(low);
  });

  it('finds a best checkpoint anew where it is gone, whatever its record says', async () => {
    rmSync(join(folder, 'best.safetensors'));
    writeFileSync(join(folder, 'best.json'), JSON.stringify({ metric: 'score', value: 100, step: 6 }));
    expect(await failure()).toBe(goesOn);
    expect(contents()['best.safetensors']).toBeDefined();
    expect(JSON.parse(readFileSync(join(folder, 'best.json'), 'utf8'))).toMatchObject({ step: 8 });
  });

  it.each(['empty', 'truncated', 'zeroed', 'mistyped'] as const)(
    'says that its best checkpoint is damaged (%s), keeps it aside, and finds a best one anew',
    async (damage) => {
      DAMAGES[damage](join(folder, 'best.safetensors'));
      writeFileSync(join(folder, 'best.json'), JSON.stringify({ metric: 'score', value: 100, step: 6 }));
      const damaged = contents()['best.safetensors'];
      expect(await failure()).toBe(goesOn);
      expect(output).toMatch(
        /run\/best.safetensors: .+; kept as best.1.safetensors; the next evaluation gives the best checkpoint anew\n/,
      );
      expect(contents()['best.1.safetensors']).toBe(damaged);
      expect(JSON.parse(readFileSync(join(folder, 'best.json'), 'utf8'))).toMatchObject({ step: 8 });
      expect(() => loadWeightsFile(join(folder, 'best.safetensors'), new Linear(2, 1))).not.toThrow();
    },
  );

  it('says that its best checkpoint is gone', async () => {
    rmSync(join(folder, 'best.safetensors'));
    expect(await failure()).toBe(goesOn);
    expect(output).toContain('best.safetensors: is missing; the next evaluation gives the best checkpoint anew\n');
  });

  it('is not blocked by an empty lock, or by a start that failed before its first step', async () => {
    writeFileSync(join(folder, 'run.lock'), '');
    expect(await failure()).toBe(goesOn);
    for (const name of readdirSync(folder)) if (!/^(run.json|config.yaml)$/.test(name)) rmSync(join(folder, name));
    expect(await failure(false)).toBe(goesOn);
    expect(await failure(false)).toMatch(/^run: holds a run already/);
  });

  it('is found out by whoever loads its weights', () => {
    const module = new Linear(2, 1);
    const load = (): unknown => loadWeightsFile(join(folder, 'best.safetensors'), module);
    load();
    DAMAGES.zeroed(join(folder, 'best.safetensors'));
    expect(load).toThrow(/best.safetensors: is damaged: \w+ does not have the checksum/);
    module.dispose();
  });
});
