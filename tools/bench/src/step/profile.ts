/**
 * Where the time of a compiled step goes: `profile.ts VARIANT BATCH CASE FILE` writes a timeline that browsers' trace
 * viewers open (chrome://tracing, ui.perfetto.dev) and prints the time by kinds of operations.
 */
import { writeFileSync } from 'node:fs';
import { timeByOperation, timelineJson, traceSteps } from '@pyramidal/graph';
import { startCase } from './cases';

const SHOWN = 20;

async function main([variant, batch, task, file]: string[]): Promise<void> {
  const run = await startCase('compiled', variant as string, Number(batch), task as string);
  // The first run records, and the first that is traced optimizes the graph once more.
  run(0);
  traceSteps(() => run(1));
  const entries = traceSteps(() => run(2));
  writeFileSync(file as string, timelineJson(entries));
  const times = timeByOperation(entries);
  const total = times.reduce((sum, { ms }) => sum + ms, 0);
  for (const { operation, count, ms } of times.slice(0, SHOWN)) {
    console.log(
      `${operation.padEnd(40)} ${String(count).padStart(6)} ${ms.toFixed(1).padStart(10)} ms ${((100 * ms) / total).toFixed(1).padStart(5)} %`,
    );
  }
  console.log(`${'all'.padEnd(40)} ${String(entries.length).padStart(6)} ${total.toFixed(1).padStart(10)} ms`);
}

void main(process.argv.slice(2));
