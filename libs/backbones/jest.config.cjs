module.exports = { ...require('../../jest.preset.cjs'), displayName: 'backbones', rootDir: __dirname };
