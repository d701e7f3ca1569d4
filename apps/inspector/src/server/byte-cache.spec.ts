import { ByteCache } from './byte-cache';

const bytes = (length: number) => new Uint8Array(length);

it('keeps what was used last, and no more bytes than it may', () => {
  const cache = new ByteCache(10);
  cache.add('a', bytes(4));
  cache.add('b', bytes(4));
  cache.get('a');
  cache.add('c', bytes(4));
  expect([cache.get('a')?.length, cache.get('b'), cache.get('c')?.length]).toEqual([4, undefined, 4]);
  cache.add('d', bytes(11));
  expect([cache.get('d'), cache.get('a')?.length]).toEqual([undefined, 4]);
  cache.add('a', bytes(6));
  expect([cache.get('a')?.length, cache.get('c')?.length]).toEqual([6, 4]);
});
