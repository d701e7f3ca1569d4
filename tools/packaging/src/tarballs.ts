/** The packages packed as npm would publish them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Package } from '@arethetypeswrong/core';
import { ROOT, type WorkspacePackage } from './workspace';

/** A package as it would be published. */
export interface Tarball extends WorkspacePackage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** For the types' check. */
  readonly unpacked: Package;
  /** By their paths in the package. */
  readonly files: ReadonlyMap<string, string>;
}

/** Packs as `npm publish` does, what is built. @returns the tarballs' names in `folder` by the packages' names. */
export function writeTarballs(packages: readonly WorkspacePackage[], folder: string): Map<string, string> {
  const workspaces = packages.flatMap(({ manifest }) => ['--workspace', manifest.name]);
  const command = ['pack', '--json', '--silent', '--ignore-scripts', '--pack-destination', folder, ...workspaces];
  const packed = JSON.parse(execFileSync('npm', command, { cwd: ROOT, encoding: 'utf8' })) as {
    name: string;
    filename: string;
  }[];
  return new Map(packed.map(({ name, filename }) => [name, filename]));
}

/** The packages as they would be published. */
export async function packAll(packages: readonly WorkspacePackage[]): Promise<Tarball[]> {
  const { createPackageFromTarballData } = await import('@arethetypeswrong/core'); // has no CommonJS
  const folder = mkdtempSync(join(tmpdir(), 'packed-'));
  try {
    const names = writeTarballs(packages, folder);
    return packages.map(({ folder: source, manifest }) => {
      const bytes = new Uint8Array(readFileSync(join(folder, names.get(manifest.name)!)));
      const unpacked = createPackageFromTarballData(bytes);
      const prefix = `/node_modules/${manifest.name}/`;
      const files = new Map(
        unpacked.listFiles().map((path) => [path.slice(prefix.length), unpacked.readFile(path)] as const),
      );
      return { folder: source, manifest, bytes, unpacked, files };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
