/** The one form that every package.json has; `README.md` beside this folder says why. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { entryPoints, readManifest, type EntryPoint, type Manifest } from './manifest';
import { ROOT, type WorkspacePackage } from './workspace';

const PACKED = ['dist', 'src'];
const NOT_PACKED = ['!**/*.spec.ts', '!**/testing', '!**/test-files', '!**/*.tsbuildinfo'];

/** @param siblings every published package. */
export function formProblems({ folder, manifest }: WorkspacePackage, siblings: readonly WorkspacePackage[]): string[] {
  const root = readManifest(ROOT);
  const problems: string[] = [];
  const expect = (what: string, received: unknown, expected: unknown): void => {
    if (isDeepStrictEqual(received, expected)) return;
    problems.push(`${what}: expected ${JSON.stringify(expected)}, received ${JSON.stringify(received)}`);
  };
  for (const field of ['license', 'engines'] as const) expect(field, manifest[field], root[field]);
  expect('type', manifest['type'], 'commonjs');
  expect('sideEffects', manifest['sideEffects'], false);
  expect('publishConfig', manifest['publishConfig'], { access: 'public' });
  for (const [name, entry] of entryPoints(manifest)) expect(`exports of ${name}`, entry, expectedEntry(entry));

  const [, main] = entryPoints(manifest).find(([name]) => name === '.') ?? [];
  expect('main', manifest['main'], main?.default);
  expect('types', manifest['types'], main?.types ?? main?.node?.types);
  const hasEsm = entryPoints(manifest).some(([, entry]) => entry.import !== undefined);
  expect('the target esm', 'esm' in (manifest.nx?.targets ?? {}), hasEsm);
  for (const pattern of [...PACKED, ...NOT_PACKED, ...(hasEsm ? ['esm'] : [])]) {
    if (!manifest.files?.includes(pattern)) problems.push(`files: expected ${pattern} among them`);
  }
  problems.push(...siblingProblems(manifest, siblings));
  if (!isSameFile(join(folder, 'LICENSE'), join(ROOT, 'LICENSE'))) problems.push("LICENSE: expected the root's");
  return problems;
}

/** Node imports and requires one CommonJS file; bundlers for browsers, where there are any, take ES modules. */
function expectedEntry(entry: EntryPoint): EntryPoint {
  const source = entry['@pyramidal/source'] ?? '';
  const path = source.replace(/^\.\/src\//, '').replace(/\.ts$/, '');
  const commonJs = { types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` };
  if (entry.import === undefined) return { '@pyramidal/source': source, ...commonJs };
  const esm = { types: `./esm/${path}.d.mts`, default: `./esm/${path}.mjs` };
  return { '@pyramidal/source': source, node: commonJs, import: esm, default: commonJs.default };
}

/** Siblings have one version; what they need of the installing app, their importers need too. */
function siblingProblems(manifest: Manifest, siblings: readonly WorkspacePackage[]): string[] {
  return siblings
    .filter(({ manifest: { name } }) => name in (manifest.dependencies ?? {}))
    .flatMap(({ manifest: { name, version, peerDependencies = {}, peerDependenciesMeta = {} } }) => [
      ...(manifest.dependencies?.[name] === version ? [] : [`dependencies: expected ${name} ${version}`]),
      ...Object.entries(peerDependencies)
        .filter(([peer, range]) => !peerDependenciesMeta[peer]?.optional && manifest.peerDependencies?.[peer] !== range)
        .map(([peer, range]) => `peerDependencies: expected ${peer} ${range}, as of ${name}`),
    ]);
}

const isSameFile = (a: string, b: string): boolean =>
  existsSync(a) && readFileSync(a, 'utf8') === readFileSync(b, 'utf8');
