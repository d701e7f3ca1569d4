/** Workers find each other, whatever else comes to the port. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Place } from './place';
import { freePort, meet } from './rendezvous';

const placeOf = (index: number, count: number, port: number): Place => ({
  source: 'RANK and WORLD_SIZE',
  index,
  count,
  at: { master: { host: '127.0.0.1', port } },
});

async function say(port: number, text: string): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  socket.end(text);
}

it('gives all workers the same addresses, and takes no others', async () => {
  const port = await freePort();
  const master = { host: '127.0.0.1', port };
  const first = meet(placeOf(0, 3, port), master, 20);
  await sleep(100);
  for (const noise of ['GET / HTTP/1.1\n', '7 127.0.0.1:1\n', '0 127.0.0.1:1\n', '1 nowhere\n', ''])
    await say(port, noise);
  const others = [1, 2].map((index) => meet(placeOf(index, 3, port), master, 20));
  const [own, ...theirs] = await Promise.all([first, ...others]);
  expect(own).toHaveLength(3);
  expect(own.every((address) => /^127\.0\.0\.1:\d+$/.test(address))).toBe(true);
  expect(new Set(own).size).toBe(3);
  expect(theirs).toEqual([own, own]);
});

it('names the workers that did not come', async () => {
  const port = await freePort();
  const first = meet(placeOf(0, 3, port), { host: '127.0.0.1', port }, 0.5);
  const refused = expect(first).rejects.toThrow(`worker 1, 2 did not come to 127.0.0.1:${port} within 0.5 s`);
  await sleep(100);
  await say(port, 'GET / HTTP/1.1\n');
  await refused;
});
