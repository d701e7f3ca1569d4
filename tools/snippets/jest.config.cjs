module.exports = { ...require('../../jest.preset.cjs'), displayName: 'snippets', rootDir: __dirname };
