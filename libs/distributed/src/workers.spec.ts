/** What workers tell each other, in processes of their own. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { hasNative } from '@pyramidal/testing';
import { launch } from './launch';
import { freePort } from './rendezvous';

const PROGRAM = ['-C', '@pyramidal/source', '--import', 'tsx', resolve(__dirname, '../fixtures/worker.ts')];

const onNative = hasNative() ? describe : describe.skip;

async function launched(workers: number): Promise<{ code: number; said: string[] }> {
  const said: string[] = [];
  const code = await launch({ command: [process.execPath, ...PROGRAM], workers, say: (line) => said.push(line) });
  return { code, said };
}

/** What the workers printed, in their order. */
const foundIn = (said: readonly string[]): { index: number }[] =>
  said
    .flatMap((line) => (/^\[\d+\] \{/.test(line) ? (JSON.parse(line.slice(4)) as { index: number }) : []))
    .sort((a, b) => a.index - b.index);

const expected = (index: number, count: number): object => ({
  ...{ index, count },
  texts: [
    Array.from({ length: count }, (_, i) => [12, `worker ${i} é 猫`]),
    Array.from({ length: count }, () => [0, '']),
    Array.from({ length: count }, (_, i) => [400_000 * i, i === 0 ? '' : 'x'.repeat(20)]),
  ],
  had: true,
  again: false,
  differs: expect.stringMatching(/^worker 1 \(127\.0\.0\.1:\d+\): the seed differs from that of worker 0$/) as string,
  aligned: [Array.from({ length: 5 }, () => Math.fround(0.1)), [0, 1, 2, 3, 4]],
});

onNative('workers (skipped without native TensorFlow)', () => {
  it('hear what each one says, take over the values of the first, and are told what differs', async () => {
    const { code, said } = await launched(2);
    expect({ code, found: foundIn(said) }).toEqual({ code: 0, found: [expected(0, 2), expected(1, 2)] });
  });

  it('find each other through the first one, three of them', async () => {
    const port = String(await freePort());
    const outputs = await Promise.all(
      [0, 1, 2].map(async (rank) => {
        const place = { RANK: String(rank), WORLD_SIZE: '3', MASTER_ADDR: '127.0.0.1', MASTER_PORT: port };
        const child = spawn(process.execPath, PROGRAM, { env: { ...process.env, ...place } });
        let output = '';
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
        await new Promise((resolve) => child.once('close', resolve));
        return output.trim().split('\n').at(-1)!;
      }),
    );
    expect(outputs.map((output) => JSON.parse(output) as object)).toEqual([0, 1, 2].map((i) => expected(i, 3)));
  });
});
