/** The processes that train together: what one of them tells the others, all by sums within graphs of TensorFlow. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { compile, joinCluster, type CompiledFunction, type SessionConfig } from '@pyramidal/graph';
import { overWorkers } from '@pyramidal/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { LONGEST_WAIT } from './limits';
import { awaitPeers, healthOf, namesOf } from './peers';
import type { Place } from './place';
import { meet } from './rendezvous';
import { WorkerError } from './worker-error';

export interface JoinOptions {
  /**
   * Seconds that a worker waits for the others, at the start and in every step, before it gives up; `PYRAMIDAL_TIMEOUT`, or
   * 300, unless given.
   */
  readonly timeout?: number;
}

/**
 * Starts this process's server and waits until all workers are there.
 * @throws WorkerError that names who is not; RuntimeError unless the engine is native TensorFlow with graphs.
 */
export async function joinWorkers(place: Place, { timeout = defaultTimeout() }: JoinOptions = {}): Promise<Workers> {
  const { index, at } = place;
  const addresses = 'addresses' in at ? at.addresses : await meet(place, at.master, timeout);
  const session = joinCluster({ workers: addresses, index, timeout });
  await awaitPeers(addresses, timeout);
  return new Workers(index, addresses, session);
}

function defaultTimeout(): number {
  const text = process.env['PYRAMIDAL_TIMEOUT'] ?? '300';
  const seconds = Number(text);
  if (seconds > 0 && seconds <= LONGEST_WAIT) return seconds;
  throw new WorkerError(
    `PYRAMIDAL_TIMEOUT: expected seconds of more than 0, ${LONGEST_WAIT} at most, received '${text}'`,
    2,
  );
}

/** Values of 24 bits, which float32 holds exactly, a transfer of texts has from each worker. */
const CHUNK = 2 ** 16;

/** Milliseconds in which what the others still ask of this process's server comes. */
const FAREWELL = 300;

/** All workers, as one of them sees them. Every method is called by all of them, in the same order. */
export class Workers {
  private readonly gather: CompiledFunction<{ own: tf.Tensor1D }, { all: tf.Tensor }>;

  constructor(
    readonly index: number,
    readonly addresses: readonly string[],
    /** What steps that are to run together are compiled with. */
    readonly session: SessionConfig,
  ) {
    const { length: count } = addresses;
    const gather = ({ own }: { own: tf.Tensor1D }) => {
      const before = tf.zeros([index, own.size]);
      const after = tf.zeros([count - 1 - index, own.size]);
      return {
        all: overWorkers.sum(tf.concat([before, tf.reshape(own, [1, own.size]), after].filter(({ size }) => size > 0))),
      };
    };
    this.gather = compile(gather, { name: 'gather', session, maxGraphs: 2 + Math.log2(CHUNK) });
  }

  get count(): number {
    return this.addresses.length;
  }

  /** Every worker's text, in their order. */
  exchange(text: string): string[] {
    const bytes = Buffer.from(text);
    const words = wordsOf(bytes);
    const lengths = this.collect(Float32Array.of(bytes.length % BASE, Math.floor(bytes.length / BASE)));
    const sizes = lengths.map(([low = 0, high = 0]) => low + high * BASE);
    const longest = Math.ceil(Math.max(...sizes) / 3);
    const pieces = sizes.map((): Buffer[] => []);
    for (let from = 0; from < longest; from += CHUNK) {
      const own = new Float32Array(Math.min(CHUNK, powerOfTwo(longest - from)));
      own.set(words.subarray(from, from + own.length));
      this.collect(own).forEach((values, i) => pieces[i]!.push(bytesOf(values)));
    }
    return pieces.map((parts, i) => Buffer.concat(parts).toString('utf8', 0, sizes[i]));
  }

  /** @throws WorkerError if the workers were told different things. @param what it is, for the error. */
  requireSame(what: string, text: string): void {
    const digests = this.exchange(digestOf([Buffer.from(text)]));
    const other = digests.findIndex((digest) => digest !== digests[0]);
    if (other < 0) return;
    throw new WorkerError(`worker ${other} (${this.addresses[other]}): ${what} differs from that of worker 0`, 2);
  }

  /**
   * Gives all workers the first one's values, unless they are equal already.
   * @returns whether they were not. @throws WorkerError if they differ afterwards.
   */
  align(variables: readonly tf.Variable[]): boolean {
    if (this.areEqual(variables)) return false;
    const isFirst = this.index === 0;
    const take = (): { done: tf.Scalar } => {
      const own = variables.map((variable) => (isFirst ? variable : tf.zerosLike(variable)));
      overWorkers.all(own, 'sum').forEach((values, i) => variables[i]!.assign(values as tf.Tensor));
      return { done: tf.scalar(1) };
    };
    const broadcast = compile(take, { name: 'broadcast', session: this.session });
    tf.dispose(broadcast({}));
    broadcast.dispose();
    if (!this.areEqual(variables)) throw new WorkerError('the values of the first worker did not reach all others');
    return true;
  }

  /** Waits for all workers; then what they still ask of this one comes in time. */
  async leave(): Promise<void> {
    this.exchange('');
    await sleep(FAREWELL);
    this.gather.dispose();
  }

  /**
   * Why a step failed, if another worker is the reason; else the error itself.
   * @returns an error that names the worker.
   */
  async explain(error: unknown): Promise<unknown> {
    if (!(error instanceof Error) || !/collective|CANCELLED|UNAVAILABLE|DEADLINE/i.test(error.message)) return error;
    const others = this.addresses.flatMap((address, index) => (index === this.index ? [] : { index, address }));
    const healths = await Promise.all(others.map(({ address }) => healthOf(address)));
    const of = (health: string) => others.filter((_, i) => healths[i] === health);
    const [gone, silent] = [of('refuses'), of('is silent')];
    const timeout = this.session.cluster?.timeout;
    const what = [
      ...(gone.length > 0 ? [`${namesOf(gone)} is gone`] : []),
      ...(silent.length > 0 ? [`${namesOf(silent)} does not answer`] : []),
    ];
    const why = what.length > 0 ? what.join('; ') : `a worker was more than ${timeout} s late, or has just ended`;
    return new WorkerError(`${why}; this worker cannot go on alone (${error.message})`);
  }

  private areEqual(variables: readonly tf.Variable[]): boolean {
    const values = variables.map((variable) => variable.dataSync());
    const digests = this.exchange(digestOf(values));
    return digests.every((digest) => digest === digests[0]);
  }

  /** The values of every worker, each of the same length. */
  private collect(own: Float32Array): Float32Array[] {
    const all = tf.tidy(() => this.gather({ own: tf.tensor1d(own) }).all.dataSync<'float32'>());
    return Array.from({ length: this.count }, (_, i) => all.subarray(i * own.length, (i + 1) * own.length));
  }
}

const BASE = 2 ** 24;

const powerOfTwo = (size: number): number => 2 ** Math.ceil(Math.log2(size));

/** Three bytes a number, the last one filled up. */
function wordsOf(bytes: Buffer): Float32Array {
  const padded = Buffer.alloc(3 * Math.ceil(bytes.length / 3));
  bytes.copy(padded);
  return Float32Array.from({ length: padded.length / 3 }, (_, i) => padded.readUIntLE(3 * i, 3));
}

function bytesOf(words: Float32Array): Buffer {
  const bytes = Buffer.alloc(3 * words.length);
  words.forEach((word, i) => bytes.writeUIntLE(word, 3 * i, 3));
  return bytes;
}

function digestOf(values: readonly NodeJS.TypedArray[]): string {
  const hash = createHash('sha256');
  for (const value of values) hash.update(value);
  return hash.digest('hex');
}
