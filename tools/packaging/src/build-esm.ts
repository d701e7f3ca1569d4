/**
 * Writes a package's ES modules for bundlers, `tsx build-esm.ts FOLDER`: one .mjs for each source file that an `import`
 * condition of its exports reaches, so that bundlers leave out whole files. Node takes the CommonJS files whether it is
 * told to import or to require, and so has one instance of everything.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { esmSources, readManifest } from './manifest';

async function buildEsm(folder: string): Promise<void> {
  const common = { absWorkingDir: folder, bundle: true, format: 'esm', tsconfig: 'tsconfig.lib.json' } as const;
  const sources = await reachableSources(folder, common);
  rmSync(join(folder, 'esm'), { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: sources,
    outdir: 'esm',
    outbase: 'src',
    outExtension: { '.js': '.mjs' },
    sourcemap: true,
    sourcesContent: false,
    plugins: [fileByFile],
    logLevel: 'warning',
  });
  for (const source of esmSources(readManifest(folder))) writeTypes(folder, source);
}

/** The types of an entry are those of its CommonJS twin. */
function writeTypes(folder: string, source: string): void {
  const module = source.replace(/^src\//, '').replace(/\.ts$/, '');
  const twin = relative(dirname(join('esm', module)), join('dist', module));
  writeFileSync(join(folder, 'esm', `${module}.d.mts`), `export * from '${twin}.js';\n`);
}

/** Source files that bundlers reach. @throws Error if one of them needs a module of Node's. */
async function reachableSources(folder: string, options: BuildOptions): Promise<string[]> {
  const { metafile } = await build({
    ...options,
    entryPoints: esmSources(readManifest(folder)),
    outdir: 'esm',
    packages: 'external',
    external: ['#*'],
    platform: 'neutral',
    metafile: true,
    write: false,
  });
  for (const [source, { imports }] of Object.entries(metafile.inputs)) {
    const builtin = imports.find(({ path }) => isBuiltin(path));
    if (builtin) throw new Error(`${join(folder, source)}: imports ${builtin.path}, which browsers do not have`);
  }
  return Object.keys(metafile.inputs);
}

/** Keeps every import as it is, with the file name that it has among the .mjs files. */
const fileByFile: Plugin = {
  name: 'file-by-file',
  setup({ onResolve }) {
    onResolve({ filter: /.*/ }, ({ kind, path, resolveDir }) => {
      if (kind === 'entry-point') return undefined;
      return { path: path.startsWith('.') ? moduleFile(resolve(resolveDir, path), resolveDir) : path, external: true };
    });
  },
};

function moduleFile(target: string, from: string): string {
  const file = existsSync(`${target}.ts`) ? `${target}.mjs` : join(target, 'index.mjs');
  const path = relative(from, file);
  return path.startsWith('.') ? path : `./${path}`;
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: build-esm FOLDER');
void buildEsm(resolve(folder));
