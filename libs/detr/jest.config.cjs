module.exports = { ...require('../../jest.preset.cjs'), displayName: 'detr', rootDir: __dirname };
