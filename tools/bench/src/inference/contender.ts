/** Our contender of the inference benchmark, `contender.ts NETWORK BATCH`; see `step/contender.ts` for the protocol. */
import { createInterface } from 'node:readline';
import { compile } from '@pyramidal/graph';
import * as tf from '@tensorflow/tfjs-core';
import { openNetwork } from './network';

async function main([name, batch]: string[]): Promise<void> {
  const { forward, images } = await openNetwork(name as string, Number(batch));
  const predict = compile(forward, { name: 'forward' });
  for await (const line of createInterface({ input: process.stdin })) {
    const wallMs: number[] = [];
    const cpuStart = process.cpuUsage();
    for (let i = 0; i < Number(line); i++) {
      const start = performance.now();
      const outputs = predict({ images });
      outputs.logits.dataSync();
      wallMs.push(performance.now() - start);
      tf.dispose({ ...outputs });
    }
    const cpuMs = process.cpuUsage(cpuStart).user / 1000 / Number(line);
    console.log(JSON.stringify({ wallMs, cpuMs, peakMB: process.resourceUsage().maxRSS / 1024 }));
  }
}

void main(process.argv.slice(2));
