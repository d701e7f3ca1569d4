/** The tarballs of all published packages. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './shell';

export interface Packed {
  readonly name: string;
  /** Path of its tarball. */
  readonly file: string;
  /** Whether there is something to import. */
  readonly isLibrary: boolean;
}

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
}

/** Packs every package that is published, as it is built, into a folder. */
export function packAll(repository: string, to: string): Packed[] {
  const manifests = readManifests(repository).filter((manifest) => manifest.private !== true);
  const workspaces = manifests.map(({ name }) => `--workspace=${name}`);
  const listing = run(
    repository,
    'npm',
    'pack',
    '--json',
    '--ignore-scripts',
    `--pack-destination=${to}`,
    ...workspaces,
  );
  const packed = JSON.parse(listing) as { name: string; filename: string; files: { path: string }[] }[];
  return packed.map(({ name, filename, files }) => {
    const { exports } = manifests.find((manifest) => manifest.name === name)!;
    if (!files.some(({ path }) => path.startsWith('dist/'))) throw new Error(`${name} is not built: npm run build`);
    return { name, file: join(to, filename), isLibrary: exports?.['.'] !== undefined };
  });
}

function readManifests(repository: string): Manifest[] {
  return ['libs', 'apps', 'tools'].flatMap((parent) =>
    readdirSync(join(repository, parent))
      .map((folder) => join(repository, parent, folder, 'package.json'))
      .filter((file) => existsSync(file))
      .map((file) => JSON.parse(readFileSync(file, 'utf8')) as Manifest),
  );
}
