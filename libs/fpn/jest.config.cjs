module.exports = { ...require('../../jest.preset.cjs'), displayName: 'fpn', rootDir: __dirname };
