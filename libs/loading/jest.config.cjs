module.exports = { ...require('../../jest.preset.cjs'), displayName: 'loading', rootDir: __dirname };
