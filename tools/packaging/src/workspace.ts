/** The packages of this workspace that are published. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readManifest, type Manifest } from './manifest';

export const ROOT = resolve(__dirname, '../../..');

/** A package of this workspace. */
export interface WorkspacePackage {
  readonly folder: string;
  readonly manifest: Manifest;
}

/** What is published: every package that is not private. */
export function publishedPackages(): WorkspacePackage[] {
  return ['libs', 'apps', 'tools']
    .flatMap((parent) => readdirSync(join(ROOT, parent)).map((name) => join(ROOT, parent, name)))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => ({ folder, manifest: readManifest(folder) }))
    .filter(({ manifest }) => manifest.private !== true);
}

/** The name that importers use for an entry: `@pyramidal/checkpoints/portable`. */
export const specifierOf = ({ name }: Manifest, entry: string): string => join(name, entry);
