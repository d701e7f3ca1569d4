module.exports = { ...require('../../jest.preset.cjs'), displayName: 'coco', rootDir: __dirname };
