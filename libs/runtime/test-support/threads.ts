/**
 * Replays a graph of many operations side by side, small and large, on `threads.ts N` threads of native TensorFlow, and
 * then some of them operation by operation. Prints the results and how many threads the runtime's own pool has.
 */
import * as tf from '@tensorflow/tfjs-core';
import { readdirSync, readFileSync } from 'node:fs';
import { compile } from '../src/compile/compile';
import { openRuntime } from '../src/open-runtime';
import { wavesTensor } from './on-engines';

const REPLAYS = 100;
const [BRANCHES, ROWS, COLUMNS] = [8, 4096, 96];

function branches({ x }: { readonly x: tf.Tensor2D }): { sums: tf.Tensor1D; mean: tf.Scalar } {
  const weights = wavesTensor<tf.Rank.R2>([COLUMNS, COLUMNS]);
  const rows = tf.split(x, BRANCHES);
  const small = rows.map((part, i) => tf.sum(tf.sin(tf.matMul(part, tf.mul(weights, i + 1)))));
  const large = tf.matMul(tf.tanh(tf.matMul(x, weights)), weights, false, true);
  return { sums: tf.stack(small) as tf.Tensor1D, mean: tf.mean(tf.exp(tf.tanh(large))) };
}

function threadsNamed(name: string): number {
  const names = readdirSync('/proc/self/task').map((id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim());
  return names.filter((found) => found === name).length;
}

async function main(threads: number): Promise<void> {
  await openRuntime({ engine: 'tensorflow', threads });
  const run = compile(branches);
  const x = wavesTensor<tf.Rank.R2>([ROWS, COLUMNS]);
  const replays = Array.from({ length: REPLAYS }, () => values(run({ x })));
  const eager = values(tf.tidy(() => branches({ x })));
  console.log(JSON.stringify({ threads: threadsNamed('pyramidal'), replays, eager }));
}

function values(outputs: { readonly sums: tf.Tensor1D; readonly mean: tf.Scalar }): number[] {
  const numbers = Object.values(outputs).flatMap((tensor) => Array.from(tensor.dataSync()));
  tf.dispose(outputs as unknown as tf.TensorContainer);
  return numbers;
}

void main(Number(process.argv[2]));
