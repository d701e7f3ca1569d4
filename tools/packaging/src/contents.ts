/** Checks what is in a package: all that it names, and nothing that no user needs. */
import { posix } from 'node:path';
import type { Tarball } from './tarballs';

/** What nobody who installs a package needs. */
const UNWANTED = [
  /\.spec\.(ts|js|d\.ts)(\.map)?$/,
  /(^|\/)(fixtures|test-support|testing|test-files|data|node_modules)\//,
  /\.(tsbuildinfo|pth|safetensors|jpe?g|png|tgz)$/,
  /(^|\/)(tsconfig.*\.json|jest\.config\.cjs)$/,
];

export function contentProblems({ manifest, files }: Tarball): string[] {
  const problems: string[] = [];
  const paths = [...files.keys()];
  for (const path of paths) if (UNWANTED.some((pattern) => pattern.test(path))) problems.push(`${path} is packed`);
  for (const path of ['LICENSE', 'README.md', ...namedFiles(manifest), ...recipeFiles(manifest, files)]) {
    if (!files.has(path)) problems.push(`${path} is missing`);
  }
  if (!/^```(ts|sh)$/m.test(files.get('README.md') ?? '')) problems.push('README.md: expected an example');
  for (const bin of Object.values(manifest.bin ?? {})) {
    if (!files.get(posix.normalize(bin))?.startsWith('#!')) problems.push(`${bin}: expected to start with #!`);
  }
  const stale = paths.filter((path) => !files.has(sourceOf(path)));
  if (stale.length > 0)
    problems.push(`built from sources that are gone, remove dist and build anew: ${stale.join(', ')}`);
  for (const path of paths)
    if (path.endsWith('.map') && !stale.includes(path)) problems.push(...lostSources(path, files));
  return problems;
}

/** Files that package.json points at. */
function namedFiles({ exports = {}, imports = {}, bin = {}, main, types }: Tarball['manifest']): string[] {
  const fields = [...Object.values(exports), ...Object.values(imports), ...Object.values(bin), main, types];
  const named = JSON.stringify(fields).matchAll(/"\.\/([^"]+)"/g);
  return [...new Set(Array.from(named, ([, path]) => path!))].filter((path) => !path.includes('*'));
}

/** A program that has recipes brings them and their table. */
function recipeFiles({ bin }: Tarball['manifest'], files: Tarball['files']): string[] {
  return bin !== undefined && files.has('src/recipes.ts') ? ['dist/configs/published.yaml'] : [];
}

/** What a file was built from; others are their own source. */
function sourceOf(path: string): string {
  const built = /^(?:dist|esm)\/(.+?)\.(?:js|mjs|d\.ts|d\.mts)(?:\.map)?$/.exec(path);
  return built ? `src/${built[1]}.ts` : path;
}

function lostSources(map: string, files: Tarball['files']): string[] {
  const { sources } = JSON.parse(files.get(map)!) as { sources: string[] };
  return sources
    .map((source) => posix.join(posix.dirname(map), source))
    .filter((source) => !files.has(source))
    .map((source) => `${map} points at ${source}, which is not packed`);
}
