/**
 * `serve` under load: many clients, one client, and one bare forward pass of the same model; then more clients than its
 * queue takes, bodies that mean harm, and SIGTERM while it works. Fails where an answer is not what it should be.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeImage } from '@pyramidal/images';
import { type Benchmark, type BenchOptions, type BenchRow, UsageError } from './benchmark';
import { build } from './build';
import { watchMachine } from './machine-load';
import { type Answer, ask, countStatus, load } from './service/client';
import { hostileBodies } from './service/hostile';
import { Server } from './service/server';

const WRITE = join(__dirname, '../dist/service/write.js');
const CASES = ['classification', 'detection'];
const MANY = { requests: 2000, clients: 16 };
const ONE = { requests: 60, clients: 1 };
const QUEUE = 64;
const PICTURES = 8;
/** Requests between looks at the memory. */
const SAMPLE = 100;

export const service: Benchmark = async ({ case: wanted = '', log }) => {
  build('tools/bench/tsconfig.lib.json');
  const cases = CASES.filter((task) => task.startsWith(wanted));
  if (cases.length === 0) throw new UsageError(`service: expected one of ${CASES.join(', ')}, received ${wanted}`);
  const pictures = await Promise.all(Array.from({ length: PICTURES }, (_, i) => picture(i)));
  const rows: BenchRow[] = [];
  for (const task of cases) rows.push(...(await measure(task, pictures, log)));
  return rows;
};

async function measure(task: string, pictures: readonly Uint8Array[], log: BenchOptions['log']): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'service-'));
  const weights = join(folder, 'toy.safetensors');
  try {
    const bare = Number(execFileSync(process.execPath, [WRITE, task, weights], { stdio: ['ignore', 'pipe', 2] }));
    const rows = await underLoad({ task, weights, pictures, bare, log });
    await beyondQueue(task, weights, pictures);
    await stopped(task, weights, pictures);
    log(`service: ${task}: 503 beyond the queue, all that was taken answered after SIGTERM`);
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Loaded {
  readonly task: string;
  readonly weights: string;
  readonly pictures: readonly Uint8Array[];
  /** Milliseconds of a bare forward pass. */
  readonly bare: number;
  readonly log: BenchOptions['log'];
}

async function underLoad({ task, weights, pictures, bare, log }: Loaded): Promise<BenchRow[]> {
  const server = await Server.start(task, weights, QUEUE);
  try {
    const body = (request: number): Uint8Array => pictures[request % pictures.length]!;
    await load(server.address, { requests: 200, clients: 16 }, body); // its graphs are made
    const one = await load(server.address, ONE, body);
    const machine = watchMachine();
    const samples: Promise<number>[] = [];
    const start = { time: performance.now(), seconds: await server.seconds() };
    const many = await load(server.address, MANY, body, (request) => {
      if (request % SAMPLE === 0) samples.push(server.memory());
    });
    const seconds = (performance.now() - start.time) / 1000;
    const cpuMs = ((await server.seconds()) - start.seconds) * (1000 / MANY.requests);
    requireStatus([...one, ...many], [200]);
    const memory = await Promise.all(samples);
    log(`service: ${task}: ${(MANY.requests / seconds).toFixed(1)} requests a second; ${machine()}`);
    log(`service: ${task}: memory in MB, every ${SAMPLE} requests: ${memory.map(Math.round).join(' ')}`);
    const answers = await Promise.all(
      hostileBodies(pictures).map(({ body, headers }) => ask(server.address, body, headers)),
    );
    requireStatus(answers, [200, 400, 413, 503, 0]); // 0: it does not wait for the rest of too large a body
    requireStatus([await ask(server.address, pictures[0]!)], [200]);
    log(`service: ${task}: hostile bodies: ${JSON.stringify(countStatus(answers))}`);
    const row = (mode: string, wallMs: number): BenchRow => ({
      ...{ case: task, engine: 'service', mode, wallMs, cpuMs, peakMB: Math.max(...memory) },
      ratioToPeer: wallMs / bare,
    });
    return [
      { ...row('bare forward pass', bare), engine: 'tensorflow', cpuMs: NaN, ratioToPeer: null },
      row('1 client, p50', percentile(one, 0.5)),
      row('16 clients, time a request', (1000 * seconds) / MANY.requests),
      row('16 clients, p50', percentile(many, 0.5)),
      row('16 clients, p99', percentile(many, 0.99)),
    ];
  } finally {
    await server.stop();
  }
}

async function beyondQueue(task: string, weights: string, pictures: readonly Uint8Array[]): Promise<void> {
  const server = await Server.start(task, weights, 4);
  const answers = await load(server.address, { requests: 200, clients: 32 }, () => pictures[0]!);
  const code = await server.stop();
  requireStatus(answers, [200, 503]);
  const { 200: taken = 0, 503: refused = 0 } = countStatus(answers);
  if (taken === 0 || refused === 0 || code !== 0) {
    throw new Error(
      `service: expected answers with 200 and with 503 of a queue of 4, received ${taken} and ${refused}`,
    );
  }
}

/** SIGTERM while every request is taken and few are answered. */
async function stopped(task: string, weights: string, pictures: readonly Uint8Array[]): Promise<void> {
  const server = await Server.start(task, weights, QUEUE);
  const requests = 48;
  const all = load(server.address, { requests, clients: requests }, () => pictures[0]!);
  while ((await server.taken()) < requests) await new Promise((resolve) => setTimeout(resolve, 5));
  const code = await server.stop();
  requireStatus(await all, [200]);
  if (code !== 0) throw new Error(`service: expected exit code 0 after SIGTERM, received ${code}`);
}

function requireStatus(answers: readonly Answer[], expected: readonly number[]): void {
  if (answers.every(({ status }) => expected.includes(status))) return;
  const counts = JSON.stringify(countStatus(answers));
  throw new Error(`service: expected answers with ${expected.join(', ')}, received ${counts}`);
}

function percentile(answers: readonly Answer[], share: number): number {
  const times = answers.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  return times[Math.round(share * (times.length - 1))]!;
}

/** A photograph of 640 x 480 or 480 x 640, a JPEG. */
function picture(number: number): Promise<Buffer> {
  const [width, height] = number % 4 === 3 ? [480, 640] : [640, 480];
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return 127 + 80 * Math.sin(0.01 * x * ((i % 3) + number + 1)) + 40 * Math.cos(0.13 * y + 0.0003 * x * y);
  });
  return encodeImage({ width, height, data }, 'jpeg');
}
