import fc from 'fast-check';
import { JsonRecords } from './json-records';

/** Reads a text in pieces of the given size, and puts together what comes out. */
function read(
  text: string,
  pieceBytes: number,
): { lists: Map<string | null, unknown[]>; values: Map<string, unknown> } {
  const lists = new Map<string | null, unknown[]>();
  const values = new Map<string, unknown>();
  const reader = new JsonRecords(
    {
      records: (key, elements) => lists.set(key, [...(lists.get(key) ?? []), ...elements]),
      value: (key, value) => values.set(key, value),
    },
    'test.json',
  );
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.slice(at, at + pieceBytes));
  reader.end();
  return { lists, values };
}

describe('JsonRecords', () => {
  it('gives lists element by element and other values whole', () => {
    const text = ' {"info": {"a": [1, "]"]}, "images" : [ {"id":1}, [2] ,"3"], "n":-1.5e3,"none":[],"t":true}\n';
    const { lists, values } = read(text, 1000);
    expect([...lists]).toEqual([
      ['images', [{ id: 1 }, [2], '3']],
      ['none', []],
    ]);
    expect([...values]).toEqual([
      ['info', { a: [1, ']'] }],
      ['n', -1500],
      ['t', true],
    ]);
  });

  it('reads what JSON.parse reads, in pieces of any size', () => {
    const dictionary = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      fc.property(dictionary, fc.integer({ min: 1, max: 40 }), fc.constantFrom(undefined, 1), (value, size, indent) => {
        const text = JSON.stringify(value, null, indent);
        const expected = Object.entries(JSON.parse(text) as Record<string, unknown>);
        const { lists, values } = read(text, size);
        for (const [key, entry] of expected) {
          if (Array.isArray(entry)) expect(lists.get(key)).toEqual(entry);
          else expect(values.get(key)).toEqual(entry);
        }
        expect(lists.size + values.size).toBe(expected.length);
      }),
    );
  });

  it('reads lists of many megabytes in batches', () => {
    const records = Array.from({ length: 60_000 }, (_, i) => ({ id: i, name: 'é "quoted\\" [{', values: [i / 7, i] }));
    const text = JSON.stringify(records);
    expect(text.length).toBeGreaterThan(3 << 20);
    let batches = 0;
    const found: unknown[] = [];
    const sink = {
      value: () => undefined,
      records: (key: string | null, elements: unknown[]) => {
        expect(key).toBeNull();
        batches++;
        found.push(...elements);
      },
    };
    const reader = new JsonRecords(sink, 'big.json');
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length; at += 100_003) reader.push(bytes.subarray(at, at + 100_003));
    reader.end();
    expect(batches).toBeGreaterThan(3);
    expect(JSON.stringify(found) === text).toBe(true);
  });

  it.each([
    ['', 'test.json: not valid JSON after byte 0: the text ends too early'],
    ['[1, 2', 'the text ends too early'],
    ['{"a": 1', 'the text ends too early'],
    ['{"a"', 'the text ends too early'],
    ['[1, 2}', "expected ']'"],
    ['5', "unexpected '5'"],
    ['[] []', "after byte 3: unexpected '['"],
    ['{"a" 1}', "after byte 5: unexpected '1'"],
    ['{a: 1}', "after byte 1: unexpected 'a'"],
    ['[1, nope]', 'after byte 1: '],
    ['{"a": [1,, 2]}', 'after byte 7: '],
    ['[1,]', 'after byte 1: '],
  ])('says where %j breaks', (text, message) => {
    expect(() => read(text, 3)).toThrow(message);
  });

  it('passes over a byte order mark', () => {
    expect(read('\ufeff[1]', 2).lists.get(null)).toEqual([1]);
  });
});
