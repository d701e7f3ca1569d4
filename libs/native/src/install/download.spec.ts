import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fakeMachine, type FakeMachine, noise, sha256 } from '@pyramidal/testing/machine';
import { type FileServer, serveFiles } from '../../test-support/file-server';
import { download } from './download';

const DATA = noise(300_000, 7);
const QUICK = { retryDelayMs: 1, stallMs: 200 };

describe('download', () => {
  let machine: FakeMachine;
  let server: FileServer;
  let file: string;

  beforeEach(async () => {
    machine = fakeMachine();
    server = await serveFiles({ '/file': DATA });
    file = join(machine.root, 'sub', 'file');
  });
  afterEach(async () => {
    await server.close();
    machine.remove();
  });

  const checked = { ...QUICK, checksum: { algorithm: 'sha256', digest: sha256(DATA) } } as const;

  it('writes the file and tells its progress up to the end', async () => {
    const seen: [number, number | undefined][] = [];
    const progress = { step: () => undefined, bytes: (done: number, total?: number) => void seen.push([done, total]) };
    await download(`${server.url}/file`, file, { ...checked, progress });
    expect(readFileSync(file).equals(DATA)).toBe(true);
    expect(seen.at(-1)).toEqual([DATA.length, DATA.length]);
    expect(existsSync(`${file}.part`)).toBe(false);
  });

  it.each(['cut', 'stall'] as const)('goes on where a transfer that is %s broke off', async (mishap) => {
    server.mishaps.push(mishap);
    await download(`${server.url}/file`, file, checked);
    expect(readFileSync(file).equals(DATA)).toBe(true);
    expect(server.requests).toHaveLength(2);
    expect(server.requests[1]?.range).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it('goes on from what an earlier run left', async () => {
    await download(`${server.url}/file`, file, checked);
    writeFileSync(`${file}.part`, DATA.subarray(0, 1000));
    await download(`${server.url}/file`, file, checked);
    expect(server.requests[1]?.range).toBe('bytes=1000-');
    expect(readFileSync(file).equals(DATA)).toBe(true);
  });

  it('accepts a part that is whole already', async () => {
    await download(`${server.url}/file`, file, checked);
    writeFileSync(`${file}.part`, DATA);
    await download(`${server.url}/file`, file, checked);
    expect(readFileSync(file).equals(DATA)).toBe(true);
  });

  it('starts again from nothing when the part is longer than the file', async () => {
    await download(`${server.url}/file`, file, checked);
    writeFileSync(`${file}.part`, Buffer.concat([DATA, DATA]));
    await download(`${server.url}/file`, file, checked);
    expect(server.requests.slice(1).map(({ range }) => range)).toEqual([`bytes=${2 * DATA.length}-`, undefined]);
    expect(readFileSync(file).equals(DATA)).toBe(true);
  });

  it('starts again when what arrived is damaged', async () => {
    server.mishaps.push('damage');
    await download(`${server.url}/file`, file, checked);
    expect(server.requests.map(({ range }) => range)).toEqual([undefined, undefined]);
    expect(readFileSync(file).equals(DATA)).toBe(true);
  });

  it("finds damage by the server's own checksum where none is known", async () => {
    server.mishaps.push('damage');
    await download(`${server.url}/file`, file, QUICK);
    expect(server.requests).toHaveLength(2);
    expect(readFileSync(file).equals(DATA)).toBe(true);
  });

  it('waits for a busy server', async () => {
    server.mishaps.push('busy', 'busy');
    await download(`${server.url}/file`, file, checked);
    expect(server.requests).toHaveLength(3);
  });

  it('gives up in one line, leaving no file, when the checksum never fits', async () => {
    const options = { ...QUICK, retries: 1, checksum: { algorithm: 'sha256', digest: 'ab'.repeat(32) } } as const;
    await expect(download(`${server.url}/file`, file, options)).rejects.toThrow(
      `download of file from ${new URL(server.url).host} failed: sha256 is ${sha256(DATA)}, expected ${'ab'.repeat(32)}`,
    );
    expect(existsSync(file)).toBe(false);
    expect(existsSync(`${file}.part`)).toBe(false);
  });

  it('does not ask twice for what is not there', async () => {
    await expect(download(`${server.url}/none`, file, QUICK)).rejects.toThrow(/failed: the server answered 404$/);
    expect(server.requests).toHaveLength(1);
  });

  it('says at once that nobody answers', async () => {
    const closed = 'http://127.0.0.1:2/file';
    await expect(download(closed, file, { retryDelayMs: 60_000 })).rejects.toThrow(
      /^download of file from 127.0.0.1:2 failed: .*ECONNREFUSED/,
    );
  });
});
