module.exports = { ...require('../../jest.preset.cjs'), displayName: 'viewer', rootDir: __dirname };
