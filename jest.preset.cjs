/** What every project's Jest configuration starts from. */
module.exports = {
  testEnvironment: require.resolve('./libs/testing/jest-environment.cjs'),
  testEnvironmentOptions: { customExportConditions: ['@pyramidal/source', 'node', 'require', 'default'] },
  testMatch: ['<rootDir>/**/*.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/out-tsc/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/out-tsc/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript', decorators: false }, target: 'es2022' },
        module: { type: 'commonjs' },
        swcrc: false,
      },
    ],
  },
  // A dynamic import names the .js file that the compiler will write.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transformIgnorePatterns: ['/node_modules/'],
  // Jest runs specs in a context whose globals are slow to look up; these are parameters of every module instead.
  sandboxInjectedGlobals: [
    'Math',
    'Number',
    'Object',
    'Array',
    'Map',
    'Set',
    'Float32Array',
    'Int32Array',
    'Uint8Array',
  ],
  // Ends what waits for ever; how long a test takes on a machine that is busy says nothing of it.
  testTimeout: 300_000,
  maxWorkers: 2,
  workerIdleMemoryLimit: '2GB',
  // A process with TensorFlow and a gigabyte of modules takes longer than Jest's half second to end on a machine that is busy.
  workerGracefulExitTimeout: 30_000,
};
