/** Whether other workers' servers answer: TensorFlow's speak HTTP/2, as gRPC does, and greet whoever comes. */
import { connect } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkerError } from './worker-error';

/** How a worker answers: not at all where its process is stopped, or its machine gone; `refuses` where there is no process. */
export type Health = 'answers' | 'refuses' | 'is silent';

/** Milliseconds that a healthy server never takes to greet. */
const PATIENCE = 5000;

/** @param address `host:port`. */
export function healthOf(address: string, patience: number = PATIENCE): Promise<Health> {
  return new Promise((resolve) => {
    const session = connect(`http://${address}`);
    const end = (health: Health): void => {
      clearTimeout(timer);
      session.destroy();
      resolve(health);
    };
    const timer = setTimeout(() => end('is silent'), patience);
    session.once('remoteSettings', () => end('answers'));
    session.on('error', () => end('refuses'));
    session.once('close', () => end('refuses'));
  });
}

/** Milliseconds between two looks. */
const PAUSE = 100;

/** Waits until all answer. @param timeout seconds. @throws WorkerError that names who does not. */
export async function awaitPeers(addresses: readonly string[], timeout: number): Promise<void> {
  const end = Date.now() + 1000 * timeout;
  let missing = addresses.map((address, index) => ({ address, index }));
  for (;;) {
    const healths = await Promise.all(missing.map(({ address }) => healthOf(address, 1000)));
    missing = missing.filter((_, i) => healths[i] !== 'answers');
    if (missing.length === 0) return;
    if (Date.now() > end) break;
    await sleep(PAUSE);
  }
  throw new WorkerError(`${namesOf(missing)} did not come within ${timeout} s`);
}

/** `worker 1 (host:port)` and so on. */
export const namesOf = (workers: readonly { readonly index: number; readonly address: string }[]): string =>
  workers.map(({ index, address }) => `worker ${index} (${address})`).join(', ');
