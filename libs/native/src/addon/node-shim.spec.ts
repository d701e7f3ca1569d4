import util from 'node:util';
import { provideLegacyUtilities } from './node-shim';

describe('provideLegacyUtilities', () => {
  it("gives tfjs-node what Node 23 removed, on Node's own module", () => {
    provideLegacyUtilities();
    const { isNullOrUndefined, isArray } = util as unknown as Record<string, (value: unknown) => boolean>;
    expect([null, undefined, 0, '', []].map((value) => isNullOrUndefined?.(value))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect([[], new Float32Array(1), 'a'].map((value) => isArray?.(value))).toEqual([true, false, false]);
  });
});
