import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openRuntime } from '@pyramidal/runtime';
import { makeClassificationSet } from '@pyramidal/samples';

/** Renders a set, trains on it, evaluates and predicts; going on where an interrupted demo stopped. */
const CONFIG = 'configs/classification/sample.yaml';
const DATA = 'data/samples/classification';
const OUT = 'runs/demo';
/** Enough to see it learn where the native engine cannot be had. */
const WASM_EPOCHS = 4;
const PICTURES = 8;

async function main(): Promise<number> {
  const { engine, reason } = await openRuntime();
  console.log(`engine: ${engine} (${reason})`);
  const shorter = engine.startsWith('tensorflow') ? [] : ['--set', `train.epochs=${WASM_EPOCHS}`];
  if (shorter.length > 0) console.log(`without the native engine this is a shorter run: ${WASM_EPOCHS} epochs`);
  const rendered = await makeClassificationSet(DATA, { seed: 0, train: 900, val: 200, size: 96 });
  console.log(rendered ? `rendered a data set of textured shapes: ${DATA}` : `data set of textured shapes: ${DATA}`);

  const weights = join(OUT, 'last.safetensors');
  const resume = existsSync(weights) ? ['--resume'] : [];
  const steps = [
    ['train', CONFIG, '--out', OUT, ...resume, ...shorter],
    ['eval', CONFIG, '--weights', weights, '--out', join(OUT, 'eval'), ...shorter],
    ['predict', CONFIG, ...samplePictures(), '--weights', weights, '--out', join(OUT, 'predictions'), ...shorter],
  ];
  for (const step of steps) {
    const code = await classify(step);
    if (code !== 0) return code;
  }
  copyFileSync(join(OUT, 'eval', 'metrics.json'), join(OUT, 'metrics.json'));
  console.log(
    `\nmetrics:  ${join(OUT, 'metrics.json')}\npictures: ${join(OUT, 'eval')} and ${join(OUT, 'predictions')}`,
  );
  return 0;
}

/** The first validation image of each class. */
function samplePictures(): string[] {
  const split = join(DATA, 'val');
  const classes = readdirSync(split).sort().slice(0, PICTURES);
  return classes.map((name) => join(split, name, readdirSync(join(split, name)).sort()[0]!));
}

/** Runs a command as the user would, whose Ctrl-C reaches it as well. */
function classify(args: readonly string[]): Promise<number> {
  console.log(`\n$ npm run classify -- ${args.join(' ')}`);
  const app = resolve('apps/classification/src/main.ts');
  const child = spawn(process.execPath, ['-C', '@pyramidal/source', '--import', 'tsx', app, ...args], {
    stdio: 'inherit',
  });
  const wait = (): void => undefined; // the child decides how to end
  process.on('SIGINT', wait);
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('exit', (code, signal) => {
      process.off('SIGINT', wait);
      done(code ?? (signal === null ? 1 : 128));
    });
  });
}

main().then(
  (code) => (process.exitCode = code),
  (error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
