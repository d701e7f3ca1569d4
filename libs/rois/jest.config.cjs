module.exports = { ...require('../../jest.preset.cjs'), displayName: 'rois', rootDir: __dirname };
