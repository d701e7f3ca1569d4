/**
 * One worker of a cluster: `all-reduce.ts INDEX ADDRESS...` sums a tensor over all workers within a compiled step that keeps
 * a variable, three times, and prints the sums and the time of each run.
 */
import * as tf from '@tensorflow/tfjs-core';
import { openEngine } from '@pyramidal/testing';
import { allReduceSum } from '../src/all-reduce';
import { compile } from '../src/compile';
import { joinCluster } from '../src/session/cluster';

const SIZE = Number(process.env['ALL_REDUCE_SIZE'] ?? 1000);
const RUNS = Number(process.env['ALL_REDUCE_RUNS'] ?? 3);

async function main([index, ...workers]: string[]): Promise<void> {
  await openEngine('tensorflow');
  const session = joinCluster({ workers, index: Number(index) });
  const total = tf.variable(tf.zeros([SIZE]));
  const step = compile(
    ({ x }: { x: tf.Tensor }) => {
      total.assign(tf.add(total, allReduceSum(x, { workers: workers.length, instance: 1, timeout: 60 })));
      return { last: tf.slice(total, [SIZE - 1], [1]) };
    },
    { session },
  );
  const x = tf.add(tf.range(0, SIZE), Number(index));
  const sums: number[] = [];
  const ms: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    sums.push(...tf.tidy(() => step({ x }).last.dataSync()));
    ms.push(performance.now() - start);
  }
  console.log(JSON.stringify({ sums, ms, first: total.dataSync()[0] }));
  // What others still ask of this server comes within this time; it ends with the process.
  setTimeout(() => process.exit(), 500);
}

void main(process.argv.slice(2));
