/** How workers that know where the first one is learn each other's addresses, before anything is computed. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Master, Place } from './place';
import { WorkerError } from './worker-error';

/** What a worker other than the first one says of itself. */
const INTRODUCTION = /^([1-9]\d{0,5}) (\S+:\d+)$/;

/** A line with every worker's address is shorter. */
const MOST_CHARACTERS = 1 << 20;

/** Milliseconds between two tries to reach the first worker. */
const PAUSE = 200;

/**
 * The address of every worker, in their order: the first one waits for a line `index host:port` from each of the others and
 * answers with all of them.
 * @param timeout seconds. @throws WorkerError that names who did not come.
 */
export function meet({ index, count }: Place, master: Master, timeout: number): Promise<string[]> {
  return index === 0 ? receive(count, master, timeout) : introduce(index, master, timeout);
}

async function receive(count: number, { host, port }: Master, timeout: number): Promise<string[]> {
  const addresses: string[] = [`${host}:${await freePort()}`];
  const missing = (): number[] => Array.from({ length: count }, (_, i) => i).filter((i) => addresses[i] === undefined);
  const sockets: Socket[] = [];
  const server = createServer();
  const complete = new Promise<void>((resolve) => {
    server.on('connection', (socket) => {
      sockets.push(socket);
      // One that goes comes again, or is missed in the end.
      socket.on('error', () => undefined);
      void lineOf(socket).then((line) => {
        const [, index, address] = INTRODUCTION.exec(line) ?? [];
        if (address === undefined || !(Number(index) < count)) return; // no worker of ours
        addresses[Number(index)] = address;
        if (missing().length === 0) resolve();
      });
    });
  });
  try {
    server.listen(port);
    await once(server, 'listening');
    if (!(await within(timeout, complete))) {
      throw new WorkerError(`worker ${missing().join(', ')} did not come to ${host}:${port} within ${timeout} s`);
    }
    for (const socket of sockets) socket.end(`${addresses.join(' ')}\n`);
    return addresses;
  } finally {
    server.close();
    for (const socket of sockets) socket.unref();
  }
}

async function introduce(index: number, { host, port }: Master, timeout: number): Promise<string[]> {
  const own = await freePort();
  const end = Date.now() + 1000 * timeout;
  while (Date.now() < end) {
    const socket = connect({ host, port });
    try {
      await once(socket, 'connect', { signal: AbortSignal.timeout(end - Date.now()) });
      // The address that the first worker sees is one that others reach, too.
      socket.write(`${index} ${socket.localAddress}:${own}\n`);
      const line = await lineOf(socket);
      if (line !== '') return line.split(' ');
    } catch {
      // Not there yet: it is tried again until the time is over.
    } finally {
      socket.destroy();
    }
    await sleep(PAUSE);
  }
  throw new WorkerError(`the first worker did not answer at ${host}:${port} within ${timeout} s`);
}

/** The first line that comes, or what came of it before the other side left. */
function lineOf(socket: Socket): Promise<string> {
  let text = '';
  return new Promise((resolve) => {
    const end = (): void => resolve(text.split('\n')[0]!);
    socket.on('data', (data) => {
      text += String(data);
      if (text.length > MOST_CHARACTERS) socket.destroy();
      if (text.includes('\n')) end();
    });
    socket.once('close', end);
  });
}

/** Whether it ended in so many seconds. */
async function within(seconds: number, work: Promise<void>): Promise<boolean> {
  const stop = new AbortController();
  const late = sleep(1000 * seconds, false, { signal: stop.signal });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    stop.abort();
    late.catch(() => undefined); // it was in time
  }
}

/** A port that nobody uses now. */
export async function freePort(): Promise<number> {
  const server: Server = createServer().listen(0);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new WorkerError('no port is free');
  return address.port;
}
