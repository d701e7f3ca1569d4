/** The protocol of a contender in a process of its own: numbers of repetitions come in, a line each, and times go out in JSON. */
import { createInterface } from 'node:readline';

/** Runs what is measured as often as each line of the standard input tells; ends with the input. */
export async function answerRounds(run: () => void | Promise<void>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const wallMs: number[] = [];
    const cpuStart = process.cpuUsage();
    for (let i = 0; i < Number(line); i++) {
      const start = performance.now();
      await run();
      wallMs.push(performance.now() - start);
    }
    const { user, system } = process.cpuUsage(cpuStart);
    const cpuMs = (user + system) / 1000 / Number(line);
    console.log(JSON.stringify({ wallMs, cpuMs, peakMB: process.resourceUsage().maxRSS / 1024 }));
  }
}
