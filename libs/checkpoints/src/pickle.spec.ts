/** Pickles of every protocol as data, and what is refused. */
import { ByteCursor } from './byte-cursor';
import { unpickle } from './pickle';
import type { PickleOptions } from './pickle-machine';
import { PickleGlobal, PickleObject } from './pickle-values';
import { call, dict, integer, list, name, pickle, text, tuple } from './test-files/craft';

function load(bytes: Buffer, options?: PickleOptions): unknown {
  const read = (position: number, length: number): Buffer => {
    if (position + length > bytes.length) throw new Error('cut short');
    return bytes.subarray(position, position + length);
  };
  return unpickle(new ByteCursor({ size: bytes.length, read }), options);
}

describe('unpickle', () => {
  it('reads numbers, text and containers of protocol 2', () => {
    const value = load(
      pickle(dict({ list: list(integer(-1), integer(2)), none: 'N', yes: '\x88', half: 'G\x3f\xe0\0\0\0\0\0\0' })),
    );
    expect(value).toEqual(
      new Map<string, unknown>([
        ['list', [-1, 2]],
        ['none', null],
        ['yes', true],
        ['half', 0.5],
      ]),
    );
  });

  // Made by Python 3.11: base64 of pickle.dumps(VALUE, PROTOCOL) with VALUE =
  // {'a': [1, -2, 3.5, None, True], 'b': (1, (2, 3), ()), 'big': 2**70, 'neg': -2**70, 'bytes': b'\x00\xff',
  //  'set': {1}, 'text': 'äöü\n\'', 'same': x, 'also': x} and x = ['shared']
  const PYTHON = {
    0: 'KGRwMApWYQpwMQoobHAyCkkxCmFJLTIKYUYzLjUKYU5hSTAxCmFzVmIKcDMKKEkxCihJMgpJMwp0cDQKKHR0cDUKc1ZiaWcKcDYKTDExODA1OTE2MjA3MTc0MTEzMDM0MjRMCnNWbmVnCnA3CkwtMTE4MDU5MTYyMDcxNzQxMTMwMzQyNEwKc1ZieXRlcwpwOApjX2NvZGVjcwplbmNvZGUKcDkKKFZcdTAwMDD/CnAxMApWbGF0aW4xCnAxMQp0cDEyClJwMTMKc1ZzZXQKcDE0CmNfX2J1aWx0aW5fXwpzZXQKcDE1CigobHAxNgpJMQphdHAxNwpScDE4CnNWdGV4dApwMTkKVuT2/Fx1MDAwYScKcDIwCnNWc2FtZQpwMjEKKGxwMjIKVnNoYXJlZApwMjMKYXNWYWxzbwpwMjQKZzIyCnMu',
    1: 'fXEAKFgBAAAAYXEBXXECKEsBSv7///9HQAwAAAAAAABOSTAxCmVYAQAAAGJxAyhLAShLAksDdHEEKXRxBVgDAAAAYmlncQZMMTE4MDU5MTYyMDcxNzQxMTMwMzQyNEwKWAMAAABuZWdxB0wtMTE4MDU5MTYyMDcxNzQxMTMwMzQyNEwKWAUAAABieXRlc3EIY19jb2RlY3MKZW5jb2RlCnEJKFgDAAAAAMO/cQpYBgAAAGxhdGluMXELdHEMUnENWAMAAABzZXRxDmNfX2J1aWx0aW5fXwpzZXQKcQ8oXXEQSwFhdHERUnESWAQAAAB0ZXh0cRNYCAAAAMOkw7bDvAoncRRYBAAAAHNhbWVxFV1xFlgGAAAAc2hhcmVkcRdhWAQAAABhbHNvcRhoFnUu',
    2: 'gAJ9cQAoWAEAAABhcQFdcQIoSwFK/v///0dADAAAAAAAAE6IZVgBAAAAYnEDSwFLAksDhnEEKYdxBVgDAAAAYmlncQaKCQAAAAAAAAAAQFgDAAAAbmVncQeKCQAAAAAAAAAAwFgFAAAAYnl0ZXNxCGNfY29kZWNzCmVuY29kZQpxCVgDAAAAAMO/cQpYBgAAAGxhdGluMXELhnEMUnENWAMAAABzZXRxDmNfX2J1aWx0aW5fXwpzZXQKcQ9dcRBLAWGFcRFScRJYBAAAAHRleHRxE1gIAAAAw6TDtsO8CidxFFgEAAAAc2FtZXEVXXEWWAYAAABzaGFyZWRxF2FYBAAAAGFsc29xGGgWdS4=',
    3: 'gAN9cQAoWAEAAABhcQFdcQIoSwFK/v///0dADAAAAAAAAE6IZVgBAAAAYnEDSwFLAksDhnEEKYdxBVgDAAAAYmlncQaKCQAAAAAAAAAAQFgDAAAAbmVncQeKCQAAAAAAAAAAwFgFAAAAYnl0ZXNxCEMCAP9xCVgDAAAAc2V0cQpjYnVpbHRpbnMKc2V0CnELXXEMSwFhhXENUnEOWAQAAAB0ZXh0cQ9YCAAAAMOkw7bDvAoncRBYBAAAAHNhbWVxEV1xElgGAAAAc2hhcmVkcRNhWAQAAABhbHNvcRRoEnUu',
    4: 'gASVlwAAAAAAAAB9lCiMAWGUXZQoSwFK/v///0dADAAAAAAAAE6IZYwBYpRLAUsCSwOGlCmHlIwDYmlnlIoJAAAAAAAAAABAjANuZWeUigkAAAAAAAAAAMCMBWJ5dGVzlEMCAP+UjANzZXSUj5QoSwGQjAR0ZXh0lIwIw6TDtsO8CieUjARzYW1llF2UjAZzaGFyZWSUYYwEYWxzb5RoD3Uu',
    5: 'gAWVlwAAAAAAAAB9lCiMAWGUXZQoSwFK/v///0dADAAAAAAAAE6IZYwBYpRLAUsCSwOGlCmHlIwDYmlnlIoJAAAAAAAAAABAjANuZWeUigkAAAAAAAAAAMCMBWJ5dGVzlEMCAP+UjANzZXSUj5QoSwGQjAR0ZXh0lIwIw6TDtsO8CieUjARzYW1llF2UjAZzaGFyZWSUYYwEYWxzb5RoD3Uu',
  };

  it.each(Object.entries(PYTHON))('reads what Python writes in protocol %s', (_, base64) => {
    const value = load(Buffer.from(base64, 'base64')) as Map<string, unknown>;
    expect(value.get('same')).toBe(value.get('also'));
    expect(value).toEqual(
      new Map<string, unknown>([
        ['a', [1, -2, 3.5, null, true]],
        ['b', [1, [2, 3], []]],
        ['big', 2n ** 70n],
        ['neg', -(2n ** 70n)],
        ['bytes', new Uint8Array([0, 255])],
        ['set', new Set([1])],
        ['text', "äöü\n'"],
        ['same', ['shared']],
        ['also', ['shared']],
      ]),
    );
  });

  it('keeps unknown classes as records of what the pickle says', () => {
    const namespace = Buffer.concat([
      Buffer.from(`${name('argparse', 'Namespace')})\x81`, 'latin1'),
      dict({ lr: integer(3) }),
      Buffer.from('b'),
    ]);
    const value = load(pickle(namespace)) as PickleObject;
    expect(value).toBeInstanceOf(PickleObject);
    expect(value.type).toEqual(new PickleGlobal('argparse', 'Namespace'));
    expect(value.state).toEqual(new Map([['lr', 3]]));
  });

  it('collects items and list entries of unknown classes', () => {
    const config = Buffer.concat([
      Buffer.from(`${name('yacs.config', 'CfgNode')})\x81`, 'latin1'),
      text('LR'),
      integer(1),
    ]);
    const value = load(pickle(config, 's', integer(5), 'a')) as PickleObject;
    expect(value.items).toEqual(new Map([['LR', 1]]));
    expect(value.list).toEqual([5]);
  });

  it('leaves out the attributes of containers', () => {
    const ordered = call('collections', 'OrderedDict');
    expect(load(pickle(ordered, text('a'), integer(1), 's', dict({ _metadata: integer(0) }), 'b'))).toEqual(
      new Map([['a', 1]]),
    );
  });

  it('gives names and persistent ids to the caller', () => {
    const options = {
      constructors: new Map([['m.double', ([x]: readonly unknown[]) => 2 * (x as number)]]),
      persistentLoad: (id: unknown) => `at ${id}`,
    };
    expect(load(pickle(call('m', 'double', integer(21))), options)).toBe(42);
    expect(load(pickle(text('0'), 'Q'), options)).toBe('at 0');
  });

  it.each([
    ['os', 'system'],
    ['posix', 'system'],
    ['nt', 'system'],
    ['subprocess', 'Popen'],
    ['builtins', 'eval'],
    ['builtins', 'exec'],
    ['__builtin__', 'execfile'],
    ['builtins', '__import__'],
    ['importlib', 'import_module'],
    ['runpy', 'run_path'],
  ])('refuses by name what calls %s.%s', (module, member) => {
    expect(() => load(pickle(call(module, member, text('true'))))).toThrow(`would call "${module}.${member}"`);
  });

  it('calls nothing that it does not refuse either', () => {
    const value = load(pickle(call('anything', 'at_all', text('x')))) as PickleObject;
    expect(value.type.path).toBe('anything.at_all');
    expect(value.args).toEqual(['x']);
  });

  it.each<[string, Buffer, string]>([
    ['an unknown opcode', pickle('\x01'), 'unknown opcode 0x1'],
    ['an empty stack', pickle('0'), 'empty stack'],
    ['a stop without a value', pickle(), 'empty stack'],
    ['a value taken from below a mark', pickle('N(0'), 'empty stack'],
    ['a group that was not opened', pickle('t'), 'did not open'],
    ['a memo entry that is not there', pickle('h\x05'), 'recalls entry 5'],
    ['a call of a number', pickle(integer(1), ')R'), 'calls number'],
    ['items of a list', pickle(']', text('a'), integer(1), 's'), 'sets items of a list'],
    ['a key without value', pickle('}(', text('a'), 'u'), 'a key without a value'],
    ['an entry of a dict', pickle('}', integer(1), 'a'), 'appends to a dict'],
    ['a protocol from the future', Buffer.from([0x80, 9]), 'protocol 9'],
    ['a persistent id that nobody asked for', pickle('NQ'), 'outside of itself'],
    ['an integer of 2 GB', pickle('\x8b\xff\xff\xff\x7f'), 'an integer of 2147483647 bytes'],
    ['an integer that is none', pickle('Iten\n'), 'the integer "ten"'],
    ['unfit arguments', pickle(call('collections', 'OrderedDict', integer(1))), 'unfit arguments'],
    ['a line without an end', pickle('c', 'a'.repeat(5000)), 'longer than 4096'],
    ['an escape beyond Unicode', pickle('V\\Uffffffff\n'), 'the character'],
  ])('names the fault: %s', (_, bytes, message) => {
    expect(() => load(bytes)).toThrow(message);
  });

  it('stops at pickles that only take time or memory', () => {
    const bomb = Buffer.concat([Buffer.from('('), Buffer.alloc(1_100_000, '}'), Buffer.from('t')]);
    expect(() => load(pickle(bomb))).toThrow('values need more than 134217728 bytes');
    // One list of 100,000 entries, copied a hundred times by way of the memo.
    const shared = Buffer.concat([list(Buffer.alloc(100_000, 'N')), Buffer.from('q\0')]);
    const copies = Array.from({ length: 100 }, () =>
      Buffer.concat([Buffer.from(name('builtins', 'set')), tuple('h\0'), Buffer.from('R')]),
    );
    expect(() => load(pickle(shared, ...copies))).toThrow('more than 4000000 steps');
  });

  it('takes a nesting of 100,000 lists in its stride', () => {
    const depth = 100_000;
    let value = load(pickle(Buffer.alloc(depth, ']'), Buffer.alloc(depth - 1, 'a')));
    let levels = 0;
    for (; Array.isArray(value); value = value[0]) levels++;
    expect(levels).toBe(depth);
  });
});
