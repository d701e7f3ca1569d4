import fc from 'fast-check';
import { CocoFormatError } from '../format/errors';
import { findFault } from './json-fault';
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
      list: (key) => lists.set(key, []),
      record: (key, element, index) => {
        expect(index).toBe(lists.get(key)!.length);
        lists.get(key)!.push(element);
      },
      value: (key, value) => values.set(key, value),
    },
    'test.json',
  );
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.slice(at, at + pieceBytes));
  reader.end();
  return { lists, values };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // what it is asked
  }
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

  it('refuses what JSON.parse refuses: a text with a part of its structure missing, doubled or changed', () => {
    const text = '{"info": {"a": [1, "x"]}, "images": [{"id": 1}, {"id": 2}], "n": -1.5, "t": true, "none": []}';
    const edits = ['', ',', ':', '"', '{', '}', '[', ']', ' ', '0', '-', 'n'];
    for (const edit of edits) {
      for (let at = 0; at < text.length; at++) {
        for (const removed of [0, 1]) {
          const edited = text.slice(0, at) + edit + text.slice(at + removed);
          if (isJson(edited)) read(edited, 7);
          else expect(() => read(edited, 7)).toThrow(CocoFormatError);
        }
      }
    }
    expect(() => read('{"n": 1,}', 1000)).toThrow("test.json: not valid JSON at byte 8: unexpected '}'");
  });

  it.each([
    [Buffer.from('\ufeff{"images": []}', 'utf16le'), 'it is UTF-16, expected UTF-8'],
    [Buffer.from([0x1f, 0x8b, 8, 0]), 'it is packed by gzip: unpack it first'],
    [Buffer.from('version https://git-lfs.github.com/spec/v1\n'), 'it is a Git LFS pointer: git lfs pull gets the file itself'], // prettier-ignore
    [Buffer.from('<html>'), "unexpected '<'"],
  ])('says what it was given instead of JSON: %s', (bytes, problem) => {
    const sink = { list: () => undefined, record: () => undefined, value: () => undefined };
    expect(() => new JsonRecords(sink, 'test.json').push(bytes)).toThrow(
      `test.json: not valid JSON at byte 0: ${problem}`,
    );
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

  it('reads lists of many megabytes', () => {
    const records = Array.from({ length: 60_000 }, (_, i) => ({ id: i, name: 'é "quoted\\" [{', values: [i / 7, i] }));
    const text = JSON.stringify(records);
    expect(text.length).toBeGreaterThan(3 << 20);
    const found: unknown[] = [];
    const sink = {
      value: () => undefined,
      list: () => undefined,
      record: (key: string | null, element: unknown) => {
        if (key !== null) throw new Error('a key');
        found.push(element);
      },
    };
    const reader = new JsonRecords(sink, 'big.json');
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length; at += 100_003) reader.push(bytes.subarray(at, at + 100_003));
    reader.end();
    expect(JSON.stringify(found) === text).toBe(true);
  });

  it.each([
    ['', 'test.json: not valid JSON at byte 0: the text ends too early'],
    ['[1, 2', 'test.json: not valid JSON at byte 5: the text ends too early, in test.json[1]'],
    ['{"a": 1', 'test.json: not valid JSON at byte 7: the text ends too early'],
    ['{"a"', 'test.json: not valid JSON at byte 4: the text ends too early'],
    ['[1, 2}', "test.json: not valid JSON at byte 5: expected ']'"],
    ['5', "test.json: not valid JSON at byte 0: unexpected '5'"],
    ['\ufeff\ufeff[]', 'test.json: not valid JSON at byte 3: unexpected byte 0xef'],
    ['[] []', "test.json: not valid JSON at byte 3: unexpected '['"],
    ['{"a" 1}', "test.json: not valid JSON at byte 5: unexpected '1'"],
    ['{a: 1}', "test.json: not valid JSON at byte 1: unexpected 'a'"],
    ['[1, nope]', 'test.json[1]: expected a JSON value, received nope at byte 4'],
    ['{"a": [1,, 2]}', "test.json: a[1]: expected a JSON value, received ',' at byte 9"],
    ['[1,]', "test.json[1]: expected a JSON value, received ']' at byte 3"],
    ['{"a": NaN}', 'test.json: a: expected a JSON value, received NaN at byte 6'],
    ['[{"id": 4, "s": [1, NaN]}]', 'test.json[0] (id 4): s: expected a JSON value, received NaN at byte 20'],
    [
      '[{"s": -Infinity, "image_id": "x"}]',
      'test.json[0] (image_id "x"): s: expected a JSON value, received -Infinity at',
    ],
    ['[{"s": 1 "t": 2}]', `test.json[0]: s: expected ',' or the end of what was begun, received '"' at byte 9`],
    ['[{"s" 1}]', "test.json[0]: s: expected ':', received 1 at byte 6"],
    ['[{s: 1}]', 'test.json[0]: expected a key in quotes, received s at byte 2'],
    ['[01]', 'test.json[0]: expected a JSON value, received 01 at byte 1'],
    ['["\n"]', 'test.json[0]: expected a character that JSON allows in text, received byte 0x0a at byte 2'],
    ['["\\x"]', 'test.json[0]: expected text in UTF-8 with the escapes of JSON'],
  ])('says where %j breaks', (text, message) => {
    expect(() => read(text, 3)).toThrow(message);
  });

  it('names a byte that is not UTF-8', () => {
    const reader = new JsonRecords(
      { list: () => undefined, record: () => undefined, value: () => undefined },
      'a.json',
    );
    const text = new TextEncoder().encode('[{"id": 1}, {"id": 2, "name": "é"}]');
    text[text.length - 4] = 0xff;
    expect(() => reader.push(text)).toThrow(
      "a.json[1] (id 2): name: expected text in UTF-8 with the escapes of JSON, received '\"' at byte 30",
    );
  });

  it('agrees with JSON.parse on what is JSON', () => {
    const tokens = ['{', '}', '[', ']', ',', ':', '"a"', '1', '-', 'true', 'NaN', ' ', '"\\u00e9"', '"', '\\', '0.5e'];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...tokens), { maxLength: 9 }), (parts) => {
        const list = `[${parts.join('')}]`;
        let valid = true;
        try {
          JSON.parse(list);
        } catch {
          valid = false;
        }
        if (valid) expect(read(list, 2).lists.get(null)).toEqual(JSON.parse(list));
        else expect(() => read(list, 2)).toThrow(CocoFormatError);
        const bytes = new TextEncoder().encode(parts.join(''));
        expect(findFault(bytes, 0, bytes.length) === undefined).toBe(valid);
      }),
      { numRuns: 500 },
    );
  });

  it('passes over a byte order mark', () => {
    expect(read('\ufeff[1]', 2).lists.get(null)).toEqual([1]);
  });

  it('holds one record in memory, and no padding', () => {
    const found: unknown[] = [];
    const reader = new JsonRecords(
      { list: () => undefined, record: (_, element) => found.push(element), value: () => undefined },
      'padded.json',
    );
    const spaces = new Uint8Array(1 << 20).fill(0x20);
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    reader.push(bytes('[12'));
    for (let i = 0; i < 80; i++) reader.push(spaces);
    reader.push(bytes(',{"a": '));
    for (let i = 0; i < 80; i++) reader.push(spaces);
    reader.push(bytes('3}]'));
    reader.end();
    expect(found).toEqual([12, { a: 3 }]);
    const held = (reader as unknown as { bytes: Uint8Array }).bytes.length;
    expect(held).toBeLessThan(4 << 20);
  });

  it.each([
    ['[', '[', 'deep.json[0]: expected at most 500 levels of nesting, received more'],
    ['[1, ', '{"a":', 'deep.json[1]: expected at most 500 levels of nesting, received more'],
    ['{"a":', '{"a":', 'deep.json: a: expected at most 500 levels of nesting, received more'],
    ['{"', 'k', 'deep.json: not valid JSON at byte 1: a key of more than 65536 bytes'],
    ['[1, "', '0'.repeat(1000), 'deep.json[1]: expected at most 33554432 bytes, received more'],
  ])('refuses %j followed by very many %j', (start, repeated, message) => {
    const reader = new JsonRecords(
      { list: () => undefined, record: () => undefined, value: () => undefined },
      'deep.json',
    );
    const piece = new TextEncoder().encode(repeated.repeat(Math.ceil((1 << 20) / repeated.length)));
    reader.push(new TextEncoder().encode(start));
    expect(() => {
      for (let i = 0; i < 40; i++) reader.push(piece);
    }).toThrow(message);
  });

  it('quotes a number that no double holds as it is written', () => {
    const refuse = (_: unknown, element: unknown): never => {
      throw new CocoFormatError(`id ${(element as { id: number }).id}`, (element as { id: number }).id);
    };
    const readId = (text: string) =>
      new JsonRecords({ list: () => undefined, record: refuse, value: () => undefined }, 'ids.json').push(
        new TextEncoder().encode(text),
      );
    expect(() => readId('[{"name": "1234567890123456790", "id": 1234567890123456790}]')).toThrow(
      'id 1234567890123456790',
    );
    expect(() => readId('[{"id": 1e400}]')).toThrow('id 1e400');
    expect(() => readId('[{"id": 12}]')).toThrow('id 12');
  });
});
