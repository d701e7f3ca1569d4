/** What every demo does: render, train, evaluate, predict. */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openRuntime } from '@pyramidal/runtime';

/** A task's program, trained from nothing on a rendered data set. */
export interface Demo {
  /** Name of the npm script, and of the folder below `apps`. */
  readonly script: string;
  readonly app: string;
  readonly config: string;
  readonly data: string;
  readonly out: string;
  /** Enough to see it learn where the native engine cannot be had. */
  readonly wasmEpochs: number;
  /** @returns whether the set was rendered now. */
  readonly render: (data: string) => Promise<boolean>;
  /** Pictures to predict at the end. */
  readonly pictures: () => string[];
  /** Annotations that are drawn beside what is found in the pictures. */
  readonly truth?: string;
}

/**
 * Renders a set, trains on it, evaluates and predicts; going on where an interrupted demo stopped.
 * @returns the exit code.
 */
export async function runDemo({ config, data, out, ...demo }: Demo): Promise<number> {
  const { engine, reason } = await openRuntime();
  console.log(`engine: ${engine} (${reason})`);
  const shorter = engine.startsWith('tensorflow') ? [] : ['--set', `train.epochs=${demo.wasmEpochs}`];
  if (shorter.length > 0)
    console.log(`without the native engine this is a shorter run: train.epochs=${demo.wasmEpochs}`);
  const rendered = await demo.render(data);
  console.log(rendered ? `rendered a data set of textured shapes: ${data}` : `data set of textured shapes: ${data}`);

  const weights = join(out, 'last.safetensors');
  const [evaluation, predictions] = [join(out, 'eval'), join(out, 'predictions')];
  const resume = existsSync(weights) ? ['--resume'] : [];
  const truth = demo.truth === undefined ? [] : ['--truth', demo.truth];
  const steps = [
    ['train', config, '--out', out, ...resume, ...shorter],
    ['eval', config, '--weights', weights, '--out', evaluation, ...shorter],
    ['predict', config, ...demo.pictures(), '--weights', weights, '--out', predictions, ...truth, ...shorter],
  ];
  for (const step of steps) {
    const code = await runApp(demo, step);
    if (code !== 0) return code;
  }
  const metrics = join(out, 'metrics.json');
  copyFileSync(join(evaluation, 'metrics.json'), metrics);
  console.log(`\nmetrics:  ${metrics}\npictures: ${evaluation} and ${predictions}`);
  return 0;
}

/** Runs a command as the user would, whose Ctrl-C reaches it as well. */
function runApp({ script, app }: Pick<Demo, 'script' | 'app'>, args: readonly string[]): Promise<number> {
  console.log(`\n$ npm run ${script} -- ${args.join(' ')}`);
  const main = resolve('apps', app, 'src/main.ts');
  const child = spawn(process.execPath, ['-C', '@pyramidal/source', '--import', 'tsx', main, ...args], {
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
