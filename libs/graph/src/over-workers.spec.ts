import { hasNative } from '@pyramidal/testing';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const script = join(__dirname, '../test-support/over-workers.ts');

/** Ports that nobody uses now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const onNative = hasNative() ? describe : describe.skip;

onNative('sums over workers (skipped without native TensorFlow)', () => {
  it('are the same at every process of a cluster, within a compiled step', async () => {
    const workers = (await freePorts(2)).map((port) => `127.0.0.1:${port}`);
    const run = async (index: number): Promise<object> => {
      const args = ['-C', '@pyramidal/source', '--import', 'tsx', script, String(index), ...workers];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      return JSON.parse(stdout.trim().split('\n').at(-1)!) as object;
    };
    const sum = 999 + 1000;
    const packed = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5];
    const expected = { sums: [sum, 2 * sum, 3 * sum], mean: [2.5], count: [2.5], atLeast: [50], packed };
    expect(await Promise.all([run(0), run(1)])).toMatchObject([expected, expected]);
  });
});
