/** The files of the page, which Vite builds into `site/`: read once, served by name. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { FileError } from '@pyramidal/files';

const PROJECT = join(__dirname, '../..');
/** The page as it is published. */
export const SITE = join(PROJECT, 'site');
/** Its sources, which only this repository has. */
const SOURCES = ['page', 'src'].map((folder) => join(PROJECT, folder));

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

export interface SiteFile {
  readonly type: string;
  readonly bytes: Buffer;
}

/** By address. @throws FileError if the page was not built. */
export function readSite(folder: string): ReadonlyMap<string, SiteFile> {
  if (!existsSync(join(folder, 'index.html'))) {
    throw new FileError(folder, 'expected the page of the inspector, which `npx nx site inspector` builds');
  }
  const files = filesBelow(folder).filter((name) => extname(name) in TYPES);
  return new Map(
    files.map((name) => {
      const address = name === 'index.html' ? '/' : `/${name.replaceAll('\\', '/')}`;
      return [address, { type: TYPES[extname(name)]!, bytes: readFileSync(join(folder, name)) }];
    }),
  );
}

/** In this repository, builds the page anew where its sources are newer. */
export function renewSite(): void {
  if (!SOURCES.every((folder) => existsSync(folder))) return;
  const built = join(SITE, 'index.html');
  const newest = Math.max(...SOURCES.map(newestIn));
  if (existsSync(built) && statSync(built).mtimeMs > newest) return;
  const start = new Date();
  buildSite(SITE);
  utimesSync(built, start, start); // what is changed meanwhile is newer
}

/** As `vite build` does. */
export function buildSite(folder: string): void {
  const vite = join(dirname(require.resolve('vite/package.json')), 'bin/vite.js');
  execFileSync(process.execPath, [vite, 'build', '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn'], {
    cwd: PROJECT,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

const filesBelow = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' });

const newestIn = (folder: string): number =>
  Math.max(...filesBelow(folder).map((name) => statSync(join(folder, name)).mtimeMs));
