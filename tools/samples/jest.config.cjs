module.exports = { ...require('../../jest.preset.cjs'), displayName: 'samples', rootDir: __dirname };
