/** Code in a fresh workspace that uses every package. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './shell';

/** Imports and requires every package in this Node; both have to give the same names. */
export function importAndRequire(workspace: string, names: readonly string[]): void {
  const folder = join(workspace, 'consumer');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'load.mjs');
  writeFileSync(
    file,
    `import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const namesOf = (module) => Object.keys(module).filter((name) => !['default', 'module.exports', '__esModule'].includes(name)).sort();
for (const name of ${JSON.stringify(names)}) {
  const imported = namesOf(await import(name));
  assert.deepEqual(imported, namesOf(require(name)), name);
  assert.ok(imported.length > 0, name);
}
`,
  );
  run(workspace, process.execPath, file);
}

/** Compiles ES and CommonJS modules that use every package as Node and as bundlers resolve it. */
export function compileConsumers(workspace: string, names: readonly string[]): void {
  const folder = join(workspace, 'consumer');
  const imports = names.map((name, i) => `import * as p${i} from '${name}';`);
  // A module without types would be `any`, of which every key is a key.
  const typed = names.map((_, i) => `const t${i}: 'missing' extends keyof typeof p${i} ? never : true = true;`);
  const source = [...imports, ...typed, `export default [${names.map((_, i) => `p${i}, t${i}`).join(', ')}];`, ''];
  for (const file of ['index.mts', 'index.cts']) writeFileSync(join(folder, file), source.join('\n'));
  const shared = { noEmit: true, strict: true, skipLibCheck: true, target: 'es2022', types: ['node'] };
  for (const [moduleResolution, module] of Object.entries({ node16: 'node16', bundler: 'preserve' })) {
    const compilerOptions = { ...shared, module, moduleResolution };
    const project = join(folder, `tsconfig.${moduleResolution}.json`);
    writeFileSync(project, JSON.stringify({ compilerOptions, include: ['index.*'] }));
    run(workspace, process.execPath, 'node_modules/typescript/bin/tsc', '--project', project);
  }
}
