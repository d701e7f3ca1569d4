module.exports = { ...require('../../jest.preset.cjs'), displayName: 'boxes', rootDir: __dirname };
