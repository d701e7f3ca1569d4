module.exports = { ...require('../../jest.preset.cjs'), displayName: 'segeval', rootDir: __dirname };
