module.exports = { ...require('../../jest.preset.cjs'), displayName: 'nx', rootDir: __dirname };
