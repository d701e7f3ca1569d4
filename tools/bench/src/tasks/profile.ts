/** Where the time of a task goes: `profile.ts CASE`, the case in JSON. Of a prediction it is the network's alone. */
import { operationOf, traceSteps } from '@pyramidal/graph';
import { moduleOf, type Naming, printTimes, scopeParts } from '../print-times';
import type { TaskCase } from '../tasks';
import { startNetwork } from './start-task';

/** What the network of a prediction takes in. */
const INPUTS = { 'mask-rcnn': { height: 800, width: 1344 }, upernet: { height: 512, width: 512 } } as const;

/** Operations of each part of the network; the part is the beginning of a module's name. */
const partOf: Naming = (entry) => {
  const [phase, module] = scopeParts(entry);
  const part = module === undefined ? phase : `${phase} ${/^[^.]*(\.[a-z_]+)?/i.exec(module)![0]}`;
  return `${part} ${operationOf(entry)}`;
};

async function main([text]: string[]): Promise<void> {
  const which = JSON.parse(text as string) as TaskCase;
  const run = await startNetwork({ ...which, ...(which.task === 'predict' && INPUTS[which.network]) }, true);
  // The first run records, and the first that is traced optimizes the graph once more.
  run();
  traceSteps(run);
  const start = performance.now();
  const entries = traceSteps(run);
  console.log(`${(performance.now() - start).toFixed(0)} ms in all`);
  for (const [title, naming] of [
    ['by operation', operationOf],
    ['by module', moduleOf],
    ['by part and operation', partOf],
  ] as const)
    printTimes(title, entries, naming);
}

void main(process.argv.slice(2));
