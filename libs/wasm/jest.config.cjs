module.exports = { ...require('../../jest.preset.cjs'), displayName: 'wasm', rootDir: __dirname };
