module.exports = { ...require('../../jest.preset.cjs'), displayName: 'graph', rootDir: __dirname };
