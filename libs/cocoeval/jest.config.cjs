module.exports = { ...require('../../jest.preset.cjs'), displayName: 'cocoeval', rootDir: __dirname };
