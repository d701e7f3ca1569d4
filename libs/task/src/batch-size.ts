/** `train.batchSize: auto`: as many images at a time as memory holds. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig, type SharedConfig, UsageError, type z } from '@pyramidal/config';
import { compile } from '@pyramidal/graph';
import type { Module } from '@pyramidal/nn';
import type { Runtime } from '@pyramidal/runtime';
import type { Batch, TrainStepOptions } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { freeMemory, heldMemory, peakWhile } from './process-memory';
import type { TrainCommand } from './task-app';
import type { Team } from './team';
import type { BatchSource, InOrder } from './train-network';

/** Images at a time in training, once the number is known. @throws Error while it is `auto`. */
export function trainingBatchSize({ train: { batchSize } }: Pick<SharedConfig, 'train'>): number {
  if (batchSize === 'auto') throw new Error('train.batchSize: auto is no number yet');
  return batchSize;
}

/**
 * A configuration whose training batches are no larger than the training set. What counts a step's images by the configuration,
 * a rate or the learning rate, then counts those that the step has.
 */
export function withinImages<Config extends SharedConfig>(config: Config, images: number): Config {
  return trainingBatchSize(config) <= images ? config : withSize(config, images);
}

/** What a step is measured with. */
export interface BatchProbe<Config, Loaded extends InOrder, B extends Batch> {
  readonly schema: z.ZodType<Config>;
  readonly command: TrainCommand;
  readonly config: Config;
  /** The resolved configuration, as YAML. */
  readonly text: string;
  readonly runtime: Runtime;
  /** With values. */
  readonly network: Module;
  /** Of the training set. */
  readonly images: number;
  readonly loss: TrainStepOptions<B>['loss'];
  readonly batches: (config: Config) => BatchSource<Loaded>;
  readonly tensors: (loaded: Loaded) => B;
  /** Whether steps run as graphs. */
  readonly compile: boolean;
  readonly team?: Team;
}

/**
 * A configuration whose batch size is a number: its own, that of the run that goes on, or the largest that memory holds.
 * @throws UsageError on a card, whose memory cannot be looked at.
 */
export async function withBatchSize<Config extends SharedConfig, Loaded extends InOrder, B extends Batch>(
  probe: BatchProbe<Config, Loaded, B>,
): Promise<{ readonly config: Config; readonly text: string }> {
  const { schema, command, config, text } = probe;
  if (config.train.batchSize !== 'auto') return { config, text };
  if (probe.team !== undefined) {
    throw new UsageError('train.batchSize: auto measures one process; expected a number for several');
  }
  const batchSize = sizeOfRun(probe) ?? (await measuredSize(probe));
  return loadConfig(schema, command.config, { set: [...command.set, `train.batchSize=${batchSize}`] });
}

const withSize = <Config extends SharedConfig>(config: Config, batchSize: number): Config => ({
  ...config,
  train: { ...config.train, batchSize },
});

/** A run goes on with the batches that it began with. */
function sizeOfRun<Config extends SharedConfig>({
  schema,
  command,
}: Pick<BatchProbe<Config, never, never>, 'schema' | 'command'>) {
  const file = join(command.out, 'config.yaml');
  if (command.resume === false || !existsSync(file)) return undefined;
  const { batchSize } = loadConfig(schema, file).config.train;
  if (batchSize === 'auto') return undefined;
  console.error(`batch size ${batchSize}, as the run began (train.batchSize: auto)`);
  return batchSize;
}

async function measuredSize<Config extends SharedConfig, Loaded extends InOrder, B extends Batch>(
  probe: BatchProbe<Config, Loaded, B>,
): Promise<number> {
  const { config, runtime, network, images } = probe;
  if (runtime.engine === 'tensorflow-gpu' || runtime.engine === 'webgpu') {
    throw new UsageError('train.batchSize: auto looks at main memory, and a card has its own; expected a number');
  }
  const [held, free] = [heldMemory(), freeMemory()];
  const statistics = [...network.buffers().values()].map((buffer) => ({ buffer, values: tf.clone(buffer.variable) }));
  const peaks: number[] = [];
  for (const size of [1, 2]) peaks.push(await peakOf(withSize(config, size), probe));
  for (const { buffer, values } of statistics) {
    buffer.variable.assign(values);
    values.dispose();
  }
  const memory = { held, free, peaks: [peaks[0]!, peaks[1]!] as const, states: STATES * 4 * network.parameterCount() };
  const room = runtime.engine === 'wasm' ? Math.min(free, WASM_HEAP) : free;
  const { size, each } = largestBatch({ ...memory, free: room, images });
  console.error(
    `batch size ${size}: a step takes ${megabytes(each)} an image, ${megabytes(peaks[0]! - each - held)} besides, ` +
      `and ${megabytes(room)} are free (train.batchSize: auto)`,
  );
  return size;
}

/** What optimizers keep beside each parameter, at most: two moments, an average, a copy in work. */
const STATES = 4;

/** Where the WebAssembly engine ends. */
const WASM_HEAP = 4 * 2 ** 30;

/** Larger batches learn no faster on a processor. */
const LARGEST = 64;

/** Of the free memory: what is decoded ahead, evaluated between and measured badly needs some too. */
const USABLE = 0.8;

/** Bytes that a choice is made by. */
interface MeasuredMemory {
  /** Of this process before, and free then. */
  readonly held: number;
  readonly free: number;
  /** The most that a step with one image and one with two took. */
  readonly peaks: readonly [number, number];
  /** What an optimizer keeps. */
  readonly states: number;
  readonly images: number;
}

/** The largest power of two of images that fits, memory taken as a straight line over their number; and the bytes of each. */
export function largestBatch({ held, free, peaks, states, images }: MeasuredMemory): { size: number; each: number } {
  const [one, two] = peaks;
  const each = Math.max(two - one, 1);
  const fits = (size: number): boolean => one + (size - 1) * each + states - held <= USABLE * free;
  let size = 1;
  while (2 * size <= Math.min(LARGEST, images) && fits(2 * size)) size *= 2;
  return { size, each };
}

const megabytes = (bytes: number): string => `${Math.max(Math.round(bytes / 2 ** 20), 0)} MB`;

/** The most memory that the gradient of one batch takes; nothing learns from it. */
async function peakOf<Config extends SharedConfig, Loaded extends InOrder, B extends Batch>(
  config: Config,
  { network, loss, batches, tensors, compile: isCompiled }: BatchProbe<Config, Loaded, B>,
): Promise<number> {
  const variables = [...network.parameters().values()].map(({ variable }) => variable);
  const differentiate = ({ seed, ...batch }: tf.NamedTensorMap) => {
    const { grads, value } = tf.variableGrads(() => loss(batch as B, seed as tf.Tensor1D).loss, variables);
    return { loss: value, sum: tf.addN(Object.values(grads).map((gradient) => tf.sum(gradient))) };
  };
  const { precision, xla } = config.runtime;
  const run = isCompiled ? compile(differentiate, { name: 'probe', precision, session: { xla } }) : undefined;
  const source = batches(config);
  try {
    return await peakWhile(async () => {
      for await (const loaded of source.batches({ epoch: 0, batch: 0 })) {
        const inputs = { ...tensors(loaded), seed: tf.tensor1d([0, 0], 'int32') };
        const found = run?.(inputs) ?? tf.tidy(() => differentiate(inputs));
        await found.loss.data();
        tf.dispose([inputs, found]);
        break;
      }
    });
  } finally {
    await source.close();
    run?.dispose();
  }
}
