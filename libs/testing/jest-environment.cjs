const { TestEnvironment } = require('jest-environment-node');

/**
 * Jest runs specs in a context of its own, where `Float32Array` is not the one that native addons and Node's own
 * modules know, so `instanceof` fails across the border. Specs get the outer realm's binary types instead.
 */
const SHARED = [
  ...['ArrayBuffer', 'SharedArrayBuffer', 'DataView', 'Uint8Array', 'Uint8ClampedArray', 'Uint16Array', 'Uint32Array'],
  ...['Int8Array', 'Int16Array', 'Int32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'],
  'WebAssembly', // its memories are such buffers
];

module.exports = class SharedRealmEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of SHARED) this.global[name] = globalThis[name];
  }
};
