module.exports = { ...require('../../jest.preset.cjs'), displayName: 'segmentation', rootDir: __dirname };
