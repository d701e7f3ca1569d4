module.exports = { ...require('../../jest.preset.cjs'), displayName: 'sparse-rcnn', rootDir: __dirname };
