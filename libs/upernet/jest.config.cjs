module.exports = { ...require('../../jest.preset.cjs'), displayName: 'upernet', rootDir: __dirname };
