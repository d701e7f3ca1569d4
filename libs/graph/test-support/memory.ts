/** Megabytes of TensorFlow's libraries that are in memory once they are loaded, after a graph, and after what is unused went; its results. */
import { readFileSync } from 'node:fs';
import { engineBackend } from '@pyramidal/kernels/engine';
import { openEngine, wavesTensor } from '@pyramidal/testing';
import * as tf from '@tensorflow/tfjs-core';
import { compile } from '../src/compile';

/** Of the segments that nobody writes to. */
function libraryMegabytes(): number {
  const mappings = readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const own = mappings.filter((mapping) => /^\S+ r-.p .*\/libtensorflow/.test(mapping));
  return own.reduce((sum, mapping) => sum + Number(/^Rss:\s+(\d+) kB/m.exec(mapping)?.[1]), 0) / 1024;
}

async function main(): Promise<void> {
  await openEngine('tensorflow');
  const loaded = libraryMegabytes();
  const square = compile(({ x }: { readonly x: tf.Tensor2D }) => ({ y: tf.tanh(tf.matMul(x, x)) }));
  const x = wavesTensor<tf.Rank.R2>([64, 64]);
  const run = (): string => String(square({ x }).y.dataSync());
  const before = run();
  const used = libraryMegabytes();
  engineBackend()!.binding.sessions!.trimHeap();
  const left = libraryMegabytes();
  process.stdout.write(JSON.stringify({ loaded, used, left, same: run() === before }));
}

void main();
