/**
 * One worker of a cluster: `over-workers.ts INDEX ADDRESS...` sums a tensor over all workers within a compiled step that keeps
 * a variable, three times, and prints the sums and the time of each run.
 */
import * as tf from '@tensorflow/tfjs-core';
import { overWorkers } from '@pyramidal/kernels';
import { openEngine } from '@pyramidal/testing';
import { compile } from '../src/compile';
import { joinCluster } from '../src/session/cluster';

const SIZE = Number(process.env['ALL_REDUCE_SIZE'] ?? 1000);
const RUNS = Number(process.env['ALL_REDUCE_RUNS'] ?? 3);

async function main([index, ...workers]: string[]): Promise<void> {
  await openEngine('tensorflow');
  const session = joinCluster({ workers, index: Number(index), timeout: 30 });
  const total = tf.variable(tf.zeros([SIZE]));
  const step = compile(
    ({ x }: { x: tf.Tensor1D }) => {
      const own: tf.Scalar = tf.squeeze(tf.slice(x, [2], [1]));
      total.assign(tf.add(total, overWorkers.sum(x)));
      const parts = [tf.slice(x, 0, 2), tf.slice(x, 2, 2), tf.slice(x, 4, 5)];
      return {
        last: tf.slice(total, [SIZE - 1], [1]),
        mean: overWorkers.mean(own),
        count: overWorkers.count(own),
        atLeast: overWorkers.count(own, 100),
        packed: tf.concat1d(overWorkers.all(parts, 'mean', 16) as tf.Tensor1D[]),
      };
    },
    { session },
  );
  // A second step of other shapes takes its turn with the first.
  const other = compile(({ y }: { y: tf.Tensor1D }) => ({ sum: overWorkers.sum(y) }), { session });
  const x = tf.add<tf.Tensor1D>(tf.range(0, SIZE), Number(index));
  const sums: number[] = [];
  const ms: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    sums.push(...tf.tidy(() => step({ x }).last.dataSync()));
    ms.push(performance.now() - start);
    tf.tidy(() => other({ y: tf.ones([i + 3]) }).sum.dataSync());
  }
  const { last: _, ...others } = tf.tidy(() => step({ x }));
  const found = Object.fromEntries(
    Object.entries(others).map(([name, tensor]) => [name, Array.from(tensor.dataSync())]),
  );
  console.log(JSON.stringify({ sums, ms, ...found }));
  // What others still ask of this server comes within this time; it ends with the process.
  setTimeout(() => process.exit(), 500);
}

void main(process.argv.slice(2));
