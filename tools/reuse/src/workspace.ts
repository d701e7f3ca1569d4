/** A fresh Nx workspace, as `create-nx-workspace` makes it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Packed } from './pack';

/** Writes the workspace that `create-nx-workspace --preset=ts` makes with npm, with the tarballs among its packages. */
export function writeWorkspace(folder: string, repository: string, packed: readonly Packed[]): void {
  const { devDependencies: ours } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const write = (file: string, content: object): void =>
    writeFileSync(join(folder, file), `${JSON.stringify(content, null, 2)}\n`);
  mkdirSync(join(folder, 'packages'), { recursive: true });
  write('package.json', {
    name: '@fresh/source',
    version: '0.0.0',
    private: true,
    workspaces: ['packages/*'],
    dependencies: Object.fromEntries(packed.map(({ name, file }) => [name, `file:${relative(folder, file)}`])),
    devDependencies: { '@nx/js': ours['@nx/js'], nx: ours.nx, prettier: '~3.6.2', typescript: '~6.0.3' },
  });
  write('nx.json', {
    analytics: false,
    neverConnectToCloud: true,
    namedInputs: { default: ['{projectRoot}/**/*', 'sharedGlobals'], production: ['default'], sharedGlobals: [] },
    plugins: [
      {
        plugin: '@nx/js/typescript',
        options: {
          typecheck: { targetName: 'typecheck' },
          build: { targetName: 'build', configName: 'tsconfig.lib.json' },
        },
      },
    ],
  });
  write('tsconfig.base.json', {
    compilerOptions: {
      composite: true,
      declarationMap: true,
      emitDeclarationOnly: true,
      importHelpers: true,
      isolatedModules: true,
      lib: ['es2022'],
      module: 'nodenext',
      moduleResolution: 'nodenext',
      noEmitOnError: true,
      noFallthroughCasesInSwitch: true,
      noImplicitOverride: true,
      noImplicitReturns: true,
      noUnusedLocals: true,
      skipLibCheck: true,
      strict: true,
      target: 'es2022',
      customConditions: ['@fresh/source'],
    },
  });
  write('tsconfig.json', { extends: './tsconfig.base.json', compileOnSave: false, files: [], references: [] });
  writeFileSync(join(folder, '.prettierrc'), '{ "singleQuote": true }\n');
  writeFileSync(join(folder, '.npmrc'), 'ignore-scripts=false\naudit=false\nfund=false\nprefer-offline=true\n');
}
