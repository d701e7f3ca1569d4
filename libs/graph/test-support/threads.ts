/**
 * Runs what threads may get wrong on `threads.ts N` threads of native TensorFlow, as graphs and operation by operation:
 * many operations side by side, large ones of many parts, numbers that processors treat apart. Prints the results and how
 * many threads the runtime's own pool has.
 */
import * as tf from '@tensorflow/tfjs-core';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { compile, type StepInputs } from '../src/compile';
import { layerNorm } from '@pyramidal/kernels';
import { openEngine, wavesTensor } from '@pyramidal/testing';

/** One thread has nobody to get in the way of. */
const replays = Number(process.argv[2]) === 1 ? 1 : 50;
const [BRANCHES, ROWS, COLUMNS] = [8, 4096, 96];

function branches({ x }: { readonly x: tf.Tensor2D }): { sums: tf.Tensor1D; mean: tf.Scalar } {
  const weights = wavesTensor<tf.Rank.R2>([COLUMNS, COLUMNS]);
  const rows = tf.split(x, BRANCHES);
  const small = rows.map((part, i) => tf.sum(tf.sin(tf.matMul(part, tf.mul(weights, i + 1)))));
  const large = tf.matMul(tf.tanh(tf.matMul(x, weights)), weights, false, true);
  return { sums: tf.stack(small) as tf.Tensor1D, mean: tf.mean(tf.exp(tf.tanh(large))) };
}

/** Whole numbers, which Eigen multiplies: its parts give each other work before they have ended. */
function product({ a, b }: { readonly a: tf.Tensor2D; readonly b: tf.Tensor2D }): { c: tf.Tensor } {
  return { c: tf.matMul(a, b) };
}

/** TensorFlow takes numbers too small for the usual exponents for zero. */
function halves({ tiny }: { readonly tiny: tf.Tensor1D }): { count: tf.Tensor } {
  return { count: tf.sum(tf.cast(tf.notEqual(tf.mul(tiny, 0.5), 0), 'int32')) };
}

/** A layer norm of many rows. */
function norms({ x }: { x: tf.Tensor2D }): tf.NamedTensorMap {
  return { y: layerNorm(x, wavesTensor<tf.Rank.R1>([80], 1), wavesTensor<tf.Rank.R1>([80], 2), 1e-6) };
}

function threadsNamed(name: string): number {
  const names = readdirSync('/proc/self/task').map((id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim());
  return names.filter((found) => found === name).length;
}

async function main(threads: number): Promise<void> {
  await openEngine('tensorflow', threads);
  const x = wavesTensor<tf.Rank.R2>([ROWS, COLUMNS]);
  const factors = { a: integers(32, 1024), b: integers(1024, 8192) };
  const rows = wavesTensor<tf.Rank.R2>([5000, 80]);
  const tiny = tf.fill<tf.Rank.R1>([4_000_000], 1e-38);
  const answer = {
    sums: bothWays(branches, { x }, numbersOf),
    products: bothWays(product, factors, digestOf),
    norms: bothWays(norms, { x: rows }, digestOf),
    denormal: bothWays(halves, { tiny }, numbersOf),
  };
  console.log(JSON.stringify({ threads: threadsNamed('pyramidal'), ...answer }));
}

/** What a function gives in many replays of its graph, and at last operation by operation. */
function bothWays<I extends StepInputs, T>(
  fn: (inputs: I) => tf.NamedTensorMap,
  inputs: I,
  read: (outputs: tf.NamedTensorMap) => T,
): T[] {
  const run = compile(fn as (inputs: object) => tf.NamedTensorMap);
  const outputs = Array.from({ length: replays }, () => run(inputs));
  return [...outputs, fn(inputs)].map(read);
}

function integers(rows: number, columns: number): tf.Tensor2D {
  return tf.tidy(() =>
    tf.cast<tf.Tensor2D>(tf.mul<tf.Tensor2D>(wavesTensor<tf.Rank.R2>([rows, columns]), 100), 'int32'),
  );
}

function numbersOf(outputs: tf.NamedTensorMap): number[] {
  return Object.values(outputs).flatMap((tensor) => Array.from(tensor.dataSync()));
}

function digestOf(outputs: tf.NamedTensorMap): string {
  const hash = createHash('sha256');
  for (const name of Object.keys(outputs).sort()) hash.update(outputs[name]!.dataSync());
  return hash.digest('hex');
}

void main(Number(process.argv[2]));
