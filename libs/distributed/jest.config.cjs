module.exports = { ...require('../../jest.preset.cjs'), displayName: 'distributed', rootDir: __dirname };
