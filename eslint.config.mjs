import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** Which kinds of project a kind may import; `type:testing` is for specs alone (second rule set). */
const mayImport = {
  'type:random': [],
  'type:files': [],
  'type:program': [],
  'type:config': [],
  'type:eval': [],
  'type:kernels': [],
  'type:native': ['type:kernels'],
  'type:wasm': ['type:kernels'],
  'type:webgpu': ['type:kernels'],
  'type:graph': ['type:kernels'],
  'type:runtime': ['type:kernels', 'type:native', 'type:wasm', 'type:webgpu'],
  'type:nn': ['type:random', 'type:kernels', 'type:graph', 'type:runtime'],
  'type:checkpoints': ['type:runtime', 'type:nn'],
  'type:parts': ['type:kernels', 'type:graph', 'type:runtime', 'type:nn'],
  'type:frame': ['type:kernels', 'type:graph', 'type:runtime', 'type:nn', 'type:parts', 'type:frame'],
  'type:model': [
    ...['type:kernels', 'type:graph', 'type:runtime', 'type:nn', 'type:checkpoints', 'type:parts', 'type:frame'],
  ],
  'type:images': ['type:random'],
  'type:pictures': ['type:images'],
  'type:report': ['type:images', 'type:eval'],
  'type:inspector': ['type:images', 'type:eval', 'type:report', 'type:serving'],
  'type:loading': ['type:random', 'type:images'],
  'type:data': ['type:runtime', 'type:random', 'type:images', 'type:loading', 'type:eval'],
  'type:formats': ['type:config', 'type:random', 'type:images', 'type:loading', 'type:data', 'type:eval'],
  'type:serving': ['type:images'],
  'type:distributed': ['type:kernels', 'type:graph', 'type:runtime'],
  'type:training': ['type:kernels', 'type:graph', 'type:runtime', 'type:nn', 'type:checkpoints'],
  'type:inference': [
    ...['type:kernels', 'type:graph', 'type:runtime', 'type:nn', 'type:checkpoints', 'type:config', 'type:images'],
    'type:training',
  ],
  'type:task': [
    ...['type:kernels', 'type:graph', 'type:runtime', 'type:nn', 'type:checkpoints', 'type:config'],
    ...['type:images', 'type:pictures', 'type:report', 'type:training', 'type:inference', 'type:distributed'],
  ],
  'type:app': [
    ...['type:kernels', 'type:graph', 'type:runtime', 'type:nn', 'type:checkpoints', 'type:config', 'type:eval'],
    ...['type:model', 'type:parts', 'type:frame', 'type:images', 'type:pictures', 'type:report', 'type:loading'],
    'type:random',
    ...['type:data', 'type:training', 'type:inference', 'type:serving', 'type:task', 'type:task-testing'],
    'type:distributed',
    'type:inspector',
  ],
  'type:testing': [],
  'type:task-testing': [
    ...['type:config', 'type:nn', 'type:runtime', 'type:model', 'type:training', 'type:distributed', 'type:task'],
  ],
  'type:tool': ['*'],
};

/** What writes files does so by `type:files`, which itself imports nothing; every program ends as `type:program` has it. */
const mayAlwaysImport = (sourceTag) => {
  if (sourceTag === 'type:files') return ['type:testing'];
  return sourceTag === 'type:program' ? ['type:testing', 'type:files'] : ['type:testing', 'type:files', 'type:program'];
};

const tasks = ['scope:classification', 'scope:detection', 'scope:segmentation'];

const depConstraints = [
  ...Object.entries(mayImport).map(([sourceTag, allowed]) => ({
    sourceTag,
    onlyDependOnLibsWithTags: allowed[0] === '*' ? ['*'] : [...allowed, ...mayAlwaysImport(sourceTag)],
  })),
  { sourceTag: 'scope:shared', onlyDependOnLibsWithTags: ['scope:shared'] },
  ...tasks.map((scope) => ({ sourceTag: scope, onlyDependOnLibsWithTags: [scope, 'scope:shared'] })),
];

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/esm/**',
      'apps/inspector/site/**',
      'libs/native/tfjs-node/**',
      '**/out-tsc/**',
      '**/node_modules/**',
      '.nx/**',
      'runs/**',
      '**/fixtures/**',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  prettier,
  {
    files: ['**/*.ts'],
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { enforceBuildableLibDependency: true, allow: ['^#'], depConstraints },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always'],
      'prefer-const': 'error',
    },
  },
  {
    files: ['libs/*/src/**/*.ts', 'apps/*/src/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/testing/**', 'libs/task-testing/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: ['@pyramidal/testing', '@pyramidal/task-testing'].map((name) => {
            return { name, message: 'Only specs import test helpers.' };
          }),
        },
      ],
    },
  },
  {
    // AssemblyScript, which imports types as it imports values, and has integers of 64 bits.
    files: ['libs/{cocoeval,wasm}/wasm/assembly/**/*.ts'],
    rules: { '@typescript-eslint/consistent-type-imports': 'off', 'no-loss-of-precision': 'off' },
  },
  {
    // Examples stand where a user's project stands: they import any package.
    files: ['examples/**/*.ts'],
    rules: { '@nx/enforce-module-boundaries': 'off' },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: { console: 'readonly', performance: 'readonly', process: 'readonly' } },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { module: 'writable', require: 'readonly', __dirname: 'readonly', process: 'readonly' },
    },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
);
