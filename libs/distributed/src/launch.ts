/** Starts workers on one machine, each as a process of its own, and ends all of them when one fails. */
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism, constants } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { printable } from '@pyramidal/program';
import type { Environment } from './place';
import { freePort } from './rendezvous';
import { writeTfConfig } from './tf-config';

export interface LaunchOptions {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly workers: number;
  /** Whether each worker gets a card of its own, by its number. */
  readonly cards?: boolean;
  /** How often all workers are started again when one fails. */
  readonly maxRestarts?: number;
  /** Seconds that a worker waits for the others before it gives up. */
  readonly timeout?: number | undefined;
  /** Milliseconds that workers have to end by themselves when one of them failed; 10 s unless given. */
  readonly grace?: number;
  readonly env?: Environment;
  /** Told what the workers write, a line at a time, and what the launcher has to say. */
  readonly say: (line: string) => void;
}

/** Set for workers that are started again: how often they were. They go on from the last checkpoint. */
export const RESTARTS = 'PYRAMIDAL_RESTARTS';

/** Wrong usage, or no such program: another try would end alike. */
const USAGE = 2;
const NOT_STARTED = 127;

const REASONS: Readonly<Record<string, string>> = { ENOENT: 'no such program', EACCES: 'permission denied' };

/**
 * Runs all workers until they end; Ctrl-C and termination are passed on to them.
 * @returns the exit code of the first worker that failed, or 0.
 */
export async function launch(options: LaunchOptions): Promise<number> {
  const { maxRestarts = 0, say } = options;
  for (let restarts = 0; ; restarts++) {
    const { index, code, isStopped } = await runGroup(options, restarts);
    const isOver = [0, USAGE, NOT_STARTED].includes(code) || isStopped || restarts === maxRestarts;
    const again = isOver ? '' : `; all start again (${restarts + 1} of ${maxRestarts})`;
    if (code !== 0) say(`worker ${index} ended with exit code ${code}${again}`);
    if (isOver) return code;
  }
}

interface Ending {
  readonly index: number;
  readonly code: number;
}

/** Runs all workers once. @returns the first failure, or an ending without one; and whether the user stopped them. */
async function runGroup(options: LaunchOptions, restarts: number): Promise<Ending & { isStopped: boolean }> {
  const ports = await freePorts(options.workers);
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  const workers = addresses.map((_, index) => start(options, addresses, index, restarts));
  let isStopped = false;
  const pass = (signal: NodeJS.Signals): void => {
    // A program may stand behind others, such as npm and a shell. The second time all quit at once, also those that wait for
    // others and hear nothing.
    for (const { child } of workers) killGroup(child, isStopped ? 'SIGKILL' : signal);
    isStopped = true;
  };
  PASSED_ON.forEach((signal) => process.on(signal, pass));
  try {
    const failed = await firstFailure(workers);
    if (failed !== undefined) await endAll(workers, options.grace ?? 10_000);
    return { ...(failed ?? { index: 0, code: 0 }), isStopped };
  } finally {
    PASSED_ON.forEach((signal) => process.off(signal, pass));
  }
}

const PASSED_ON = ['SIGINT', 'SIGTERM'] as const;

interface Worker {
  readonly child: ChildProcess;
  readonly ending: Promise<Ending>;
}

/** Ports that nobody uses now, each another one. */
async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

function start(options: LaunchOptions, addresses: readonly string[], index: number, restarts: number): Worker {
  const { command, say } = options;
  const [program, ...args] = command;
  // A group of its own, that Ctrl-C in a terminal does not reach: it is passed on.
  const child = spawn(program, args, {
    env: environmentOf(options, addresses, index, restarts),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => say(`[${index}] ${line}`));
  }
  const ending = new Promise<Ending>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      say(`[${index}] ${printable(program)}: cannot be started: ${REASONS[error.code ?? ''] ?? error.message}`);
      resolve({ index, code: NOT_STARTED });
    });
    child.once('close', (code, signal) => resolve({ index, code: code ?? 128 + constants.signals[signal!] }));
  });
  return { child, ending };
}

function environmentOf(
  { workers, cards = false, timeout, env = process.env }: LaunchOptions,
  addresses: readonly string[],
  index: number,
  restarts: number,
): Record<string, string | undefined> {
  const own = Object.entries(env).filter(([name]) => !/^(SLURM_|OMPI_|PMIX_|(RANK|WORLD_SIZE|LOCAL_RANK)$)/.test(name));
  const threads = String(Math.max(1, Math.floor(availableParallelism() / workers)));
  return {
    TF_NUM_INTRAOP_THREADS: threads,
    ...Object.fromEntries(own),
    TF_CONFIG: writeTfConfig(addresses, index),
    ...(cards && { CUDA_VISIBLE_DEVICES: String(index) }),
    ...(timeout !== undefined && { PYRAMIDAL_TIMEOUT: String(timeout) }),
    ...(restarts > 0 && { [RESTARTS]: String(restarts) }),
  };
}

/** Of the first worker that fails; undefined once all have ended without. */
function firstFailure(workers: readonly Worker[]): Promise<Ending | undefined> {
  return new Promise((resolve) => {
    let left = workers.length;
    for (const { ending } of workers) {
      void ending.then((own) => {
        if (own.code !== 0) resolve(own);
        else if (--left === 0) resolve(undefined);
      });
    }
  });
}

/** Those that cannot go on end by themselves, the others when they are told to, those that are stopped when they are killed. */
async function endAll(workers: readonly Worker[], grace: number): Promise<void> {
  const all = Promise.all(workers.map(({ ending }) => ending));
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await Promise.race([all, sleep(grace, undefined, { ref: false })]);
    for (const { child } of workers) killGroup(child, signal);
  }
  await all;
}

function killGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // gone meanwhile
  }
}
