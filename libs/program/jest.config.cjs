module.exports = { ...require('../../jest.preset.cjs'), displayName: 'program', rootDir: __dirname };
