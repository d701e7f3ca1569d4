import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { preProcessFile } from 'typescript';
import type { WorkspacePackage } from './workspace';

/** Packages that the sources import and package.json lacks, and dependencies that no source names. */
export function dependencyProblems({ folder, manifest }: WorkspacePackage): string[] {
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies };
  const texts = sourceTexts(join(folder, 'src'));
  const imported = new Set(texts.flatMap(importedPackages).filter((name) => name !== manifest.name));
  const isNamed = (name: string): boolean => texts.some((text) => new RegExp(`['"]${name}['"/]`).test(text));
  return [
    ...[...imported].filter((name) => !(name in declared)).map((name) => `imports ${name}, which is no dependency`),
    ...Object.keys(manifest.dependencies ?? {})
      .filter((name) => !isNamed(name))
      .map((name) => `depends on ${name}, which no source names`),
  ];
}

function sourceTexts(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/\.spec\.ts$|(^|\/)(testing|test-files)\//.test(path))
    .map((path) => readFileSync(join(folder, path), 'utf8'));
}

function importedPackages(text: string): string[] {
  return preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => !/^[.#]/.test(name) && !isBuiltin(name))
    .map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)![0]);
}
