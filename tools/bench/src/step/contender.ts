/**
 * One contender of the step benchmark in a process of its own: `contender.ts MODE VARIANT BATCH CASE`. Reads numbers of
 * repetitions from standard input, one a line, and answers each with a line of JSON; ends with the input.
 */
import { createInterface } from 'node:readline';
import { startCase } from './cases';

async function main([mode, variant, batch, task]: string[]): Promise<void> {
  const run = await startCase(mode as string, variant as string, Number(batch), task as string);
  let count = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const wallMs: number[] = [];
    const cpuStart = process.cpuUsage();
    for (let i = 0; i < Number(line); i++) {
      const start = performance.now();
      run(count++);
      wallMs.push(performance.now() - start);
    }
    const cpuMs = process.cpuUsage(cpuStart).user / 1000 / Number(line);
    console.log(JSON.stringify({ wallMs, cpuMs, peakMB: process.resourceUsage().maxRSS / 1024 }));
  }
}

void main(process.argv.slice(2));
