module.exports = { ...require('../../jest.preset.cjs'), displayName: 'task', rootDir: __dirname };
