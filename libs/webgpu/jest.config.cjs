module.exports = { ...require('../../jest.preset.cjs'), displayName: 'webgpu', rootDir: __dirname };
