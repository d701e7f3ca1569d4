module.exports = { ...require('../../jest.preset.cjs'), displayName: 'mask-rcnn', rootDir: __dirname };
