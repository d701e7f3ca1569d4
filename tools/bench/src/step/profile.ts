/**
 * Where the time of a compiled step goes: `profile.ts VARIANT BATCH CASE FILE` writes a timeline that browsers' trace
 * viewers open (chrome://tracing, ui.perfetto.dev) and prints the time by kinds of operations, stages and modules.
 */
import { writeFileSync } from 'node:fs';
import { operationOf, timelineJson, traceSteps } from '@pyramidal/graph';
import { moduleOf, type Naming, printTimes, scopeParts } from '../print-times';
import { startCase } from './cases';

/** `forward/stages.1.blocks.0.mlp` is `forward stages.1`; what belongs to no module is named by its phase. */
const stageOf: Naming = (entry) => {
  const [phase, module] = scopeParts(entry);
  return module === undefined ? phase : `${phase} ${/^[^.]*(\.\d+)?/.exec(module)![0]}`;
};

async function main([variant, batch, task, file]: string[]): Promise<void> {
  const { run } = await startCase('compiled', variant as string, Number(batch), task as string, { named: true });
  // The first run records, and the first that is traced optimizes the graph once more.
  run(0);
  traceSteps(() => run(1));
  const entries = traceSteps(() => run(2));
  writeFileSync(file as string, timelineJson(entries));
  console.log(`\nGroupMixFormer ${variant}, batch ${batch}, ${task}`);
  printTimes('by operation', entries, operationOf);
  printTimes('by stage', entries, stageOf);
  printTimes('by module', entries, moduleOf);
}

void main(process.argv.slice(2));
