module.exports = { ...require('../../jest.preset.cjs'), displayName: 'atss', rootDir: __dirname };
