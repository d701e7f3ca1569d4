/** Checks that a package declares what it imports, and imports what it declares. */
import { isBuiltin } from 'node:module';
import { preProcessFile } from 'typescript';
import type { Tarball } from './tarballs';

/** Packages that packed code imports and package.json lacks, and dependencies that no code names. */
export function dependencyProblems({ manifest, files }: Tarball): string[] {
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies };
  const texts = [...files].filter(([path]) => /\.(ts|js|mjs)$/.test(path)).map(([, text]) => text);
  const imported = new Set(texts.flatMap(importedPackages).filter((name) => name !== manifest.name));
  const isNamed = (name: string): boolean => texts.some((text) => new RegExp(`['"]${name}['"/]`).test(text));
  return [
    ...[...imported].filter((name) => !(name in declared)).map((name) => `imports ${name}, which is no dependency`),
    ...Object.keys(manifest.dependencies ?? {})
      .filter((name) => !isNamed(name))
      .map((name) => `depends on ${name}, which no code names`),
  ];
}

function importedPackages(text: string): string[] {
  return preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => !/^[.#]/.test(name) && !isBuiltin(name))
    .map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)![0]);
}
