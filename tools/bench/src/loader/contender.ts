/**
 * Our contender of the loader benchmark in a process of its own: `contender.ts WORKERS IMAGE...`. Reads numbers of epochs from standard
 * input, one a line, and answers each with a line of JSON; ends with the input.
 */
import { createInterface } from 'node:readline';
import { Loader, WorkerPool } from '@pyramidal/loading';
import { PREPARE_FOR_DETECTION } from './prepare';

async function main([workers, ...items]: string[]): Promise<void> {
  const threads = Number(workers);
  const pool = new WorkerPool(PREPARE_FOR_DETECTION, threads);
  const loader = new Loader({
    items,
    load: (file, seed, stopped) => pool.run([file, seed], stopped),
    batchSize: 2,
    seed: 0,
    shuffle: true,
    concurrency: threads > 0 ? Infinity : 4,
  });
  let epoch = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const start = performance.now();
    const cpuStart = process.cpuUsage();
    let images = 0;
    for await (const { samples } of loader.batches({ epoch, untilEpoch: epoch + Number(line) }))
      images += samples.length;
    epoch += Number(line);
    const { user, system } = process.cpuUsage(cpuStart);
    const wallMs = performance.now() - start;
    const peakMB = process.resourceUsage().maxRSS / 1024;
    console.log(JSON.stringify({ wallMs: wallMs / images, cpuMs: (user + system) / 1000 / images, peakMB }));
  }
  await pool.close();
}

void main(process.argv.slice(2));
