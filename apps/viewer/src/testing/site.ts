/** Builds the viewer and serves it, for browser specs. */
import { execFile, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const PROJECT = join(__dirname, '../..');
const vitePackage = require.resolve('vite/package.json');
const vite = join(dirname(vitePackage), 'bin/vite.js');

/** Builds the page into a folder, as `vite build` does. */
export async function buildSite(folder: string): Promise<void> {
  await promisify(execFile)(process.execPath, [vite, 'build', '--outDir', folder, '--logLevel', 'warn'], {
    cwd: PROJECT,
    env: { ...process.env, NODE_ENV: 'production' },
  });
}

export interface Site {
  readonly address: string;
  close(): void;
}

/** Serves a built page on a free port of the loopback interface, as `vite preview` does. */
export async function serveSite(folder: string): Promise<Site> {
  const server = spawn(process.execPath, [vite, 'preview', '--outDir', folder, '--port', '0'], {
    cwd: PROJECT,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of server.stdout) {
    output += String(chunk);
    const address = /http:\/\/\S+/.exec(output)?.[0];
    if (address) return { address, close: () => server.kill() };
  }
  throw new Error(`vite preview ended: ${output}`);
}
