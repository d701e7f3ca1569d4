/**
 * One contender of the step benchmark in a process of its own: `contender.ts MODE VARIANT BATCH CASE`. Reads numbers of
 * repetitions from standard input, one a line, and answers each with a line of JSON; ends with the input.
 */
import { createInterface } from 'node:readline';
import { startCase, type Case } from './cases';

async function main([mode, variant, batch, task]: string[]): Promise<void> {
  const imported = performance.now();
  const { run, explain } = await startCase(mode as string, variant as string, Number(batch), task as string);
  const opened = performance.now();
  let count = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const wallMs: number[] = [];
    const cpuStart = process.cpuUsage();
    for (let i = 0; i < Number(line); i++) {
      const start = performance.now();
      run(count++);
      wallMs.push(performance.now() - start);
    }
    const { user, system } = process.cpuUsage(cpuStart);
    const cpuMs = (user + system) / 1000 / Number(line);
    const parts = { importing: imported, opening: opened - imported, ...partsOf(explain) };
    console.log(JSON.stringify({ wallMs, cpuMs, peakMB: process.resourceUsage().maxRSS / 1024, parts }));
  }
}

/** Where the time of the first run goes. */
function partsOf(explain: Case['explain']): Record<string, number> {
  const graph = explain().at(-1);
  if (graph === undefined) return {};
  return { recording: graph.recordMs, loading: graph.loadMs, running: graph.firstRunMs ?? 0 };
}

void main(process.argv.slice(2));
