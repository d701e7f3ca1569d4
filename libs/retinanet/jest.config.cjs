module.exports = { ...require('../../jest.preset.cjs'), displayName: 'retinanet', rootDir: __dirname };
