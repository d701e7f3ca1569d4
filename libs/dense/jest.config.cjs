module.exports = { ...require('../../jest.preset.cjs'), displayName: 'dense', rootDir: __dirname };
