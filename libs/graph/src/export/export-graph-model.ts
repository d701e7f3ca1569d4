/** A function as a graph model, the format in which TensorFlow.js loads graphs in browsers. */
import { join } from 'node:path';
import { makeFolder, PendingFile } from '@pyramidal/files';
import { RuntimeError } from '@pyramidal/kernels/engine';
import { freeze } from './freeze';
import type { ConstantTensor } from '../record/graph-def';
import { graphModelJson, type Json } from './graph-model-json';
import { GRAPH_MODEL_OPS } from './graph-model-ops';
import type { TensorTree } from '../record/tensor-tree';
import { raiseThresholds } from './suppression-thresholds';

/** Browsers cache files up to this size. */
const SHARD_BYTES = 4 * 2 ** 20;

export interface GraphModelOptions {
  /** What `model.metadata` gives to whoever loads the model; without `signature` and `structuredOutputKeys`, which are TensorFlow.js's. */
  readonly metadata?: Readonly<Record<string, Json>>;
}

/**
 * Writes a function as a graph model of TensorFlow.js, its weights beside it, for browsers: `model.json` is what
 * `tf.loadGraphModel(url)` loads, and `model.execute({ images })` gives the outputs in order;
 * where boxes are suppressed, `executeAsync` does.
 * @param fn an inference function of named tensors, under the rules of `compile`.
 * @param inputs tensors of the shapes and types that the model will take; their names become the signature's.
 * @throws RuntimeError if another engine than TensorFlow is open, if `fn` changes a variable, or if it uses an operation
 * that graph models do not have; FileError if a file cannot be written, an older model then stays as it was.
 */
export function exportGraphModel<I extends TensorTree>(
  fn: (inputs: I) => TensorTree,
  inputs: I,
  folder: string,
  { metadata }: GraphModelOptions = {},
): void {
  const recording = freeze(fn, inputs, { caller: 'exportGraphModel', portable: true });
  const graph = { ...recording, nodes: raiseThresholds(recording.nodes) };
  const unknown = new Set(graph.nodes.map(({ op }) => op).filter((op) => !GRAPH_MODEL_OPS.has(op)));
  if (unknown.size > 0) {
    throw new RuntimeError(
      `exportGraphModel: expected operations that TensorFlow.js's graph models have, found ${[...unknown].join(', ')}`,
    );
  }
  const weights = graph.nodes.flatMap(({ name, attrs: { value } }) =>
    value !== undefined && 'tensor' in value ? [{ name, ...value.tensor }] : [],
  );
  const shards = inShards(weights);
  const paths = shards.map((_, i) => `group1-shard${i + 1}of${shards.length}.bin`);
  const files = new Map<string, string | Buffer>(paths.map((path, i) => [path, shards[i] as Buffer]));
  files.set('model.json', JSON.stringify(graphModelJson(graph, [{ paths, weights }], metadata)));
  writeTogether(folder, files);
}

/** No file takes its place before all are written, so that an older model and its weights stay together. */
function writeTogether(folder: string, files: ReadonlyMap<string, string | Buffer>): void {
  makeFolder(folder);
  const pending: PendingFile[] = [];
  try {
    for (const [name, content] of files) {
      const file = new PendingFile(join(folder, name));
      pending.push(file);
      file.write(content);
    }
    for (const file of pending) file.complete();
  } finally {
    for (const file of pending) file.discard();
  }
}

function inShards(weights: readonly ConstantTensor[]): Buffer[] {
  const bytes = Buffer.concat(
    weights.map(({ values }) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  );
  const count = Math.ceil(bytes.length / SHARD_BYTES);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES));
}
