module.exports = { ...require('../../jest.preset.cjs'), displayName: 'ade20k', rootDir: __dirname };
