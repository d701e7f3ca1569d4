module.exports = { ...require('../../jest.preset.cjs'), displayName: 'imagenet', rootDir: __dirname };
