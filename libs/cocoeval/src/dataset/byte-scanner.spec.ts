/** Reading straight from bytes: what it takes it reads as JSON.parse does, and what JSON.parse refuses it refuses. */
import fc from 'fast-check';
import { ByteColumn } from '../format/columns';
import { ByteScanner, keysOf } from './byte-scanner';

/** A scanner at the start of a text, which a comma ends. */
function at(text: string): ByteScanner {
  const bytes = new TextEncoder().encode(`${text},`);
  const scanner = new ByteScanner();
  scanner.begin(bytes, 0, bytes.length);
  return scanner;
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // which is the answer
  }
}

describe('ByteScanner', () => {
  const numberText = fc
    .tuple(
      fc.constantFrom('', '-', '+'),
      fc.stringMatching(/^\d{1,19}$/),
      fc.option(fc.stringMatching(/^\d{0,25}$/)),
      fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e-', 'e+'), fc.nat(400))),
    )
    .map(([sign, whole, fraction, exponent]) => {
      const tail = exponent === null ? '' : exponent.join('');
      return `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${tail}`;
    });

  it('reads numbers to the last bit, and no other ones than JSON has', () => {
    fc.assert(
      fc.property(fc.oneof(numberText, fc.double().map(String), fc.integer().map(String)), (text) => {
        const scanner = at(text);
        const isRead = scanner.number() && scanner.comma();
        const value = parses(text) ? (JSON.parse(text) as unknown) : undefined;
        if (isRead) expect(scanner.value).toBe(value);
        // It may leave a number to the parser only where that is beyond all doubles.
        else expect(value === undefined || value === null || Math.abs(Number(value)) === Infinity).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it.each(['01', '-', '1.', '.5', '1e', '1e+', '--1', '1a', 'NaN', 'Infinity', '0x1', '1 2', ''])(
    'refuses %j',
    (text) => {
      const scanner = at(text);
      expect(scanner.number() && scanner.comma()).toBe(false);
    },
  );

  it('passes over values as the parser does, and over nothing that it refuses', () => {
    const mutated = fc
      .tuple(fc.jsonValue({ maxDepth: 4 }), fc.nat(), fc.constantFrom('', ',', '"', ']', '}', '1', '\\', '\t', 'é'))
      .map(([value, place, insert]) => {
        const text = JSON.stringify(value);
        const i = place % (text.length + 1);
        return text.slice(0, i) + insert + text.slice(i);
      });
    fc.assert(
      fc.property(mutated, (text) => {
        const scanner = at(text);
        const end = scanner.skipValue() && scanner.isAtElementEnd ? scanner.at : -1;
        // A text such as `1,2` is two values: the scanner stops behind the first.
        if (end >= 0) expect(parses(new TextDecoder().decode(scanner.bytes.subarray(0, end)))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('passes over what COCO files hold', () => {
    const record = {
      id: 1,
      file_name: 'a/b 1.jpg',
      flickr: null,
      ok: true,
      segmentation: [[1, 2.5, -3]],
      empty: {},
      none: [],
    };
    const scanner = at(JSON.stringify(record, null, 2));
    expect(scanner.skipValue() && scanner.comma()).toBe(true);
  });

  it('finds keys, and reads texts without their escapes', () => {
    const scanner = at('{ "counts" : "a\\\\b\\"c" , "other":1}');
    const out = new ByteColumn();
    expect(scanner.openObject() && scanner.key(keysOf('size', 'counts'))).toBe(1);
    expect(scanner.text(out) && new TextDecoder().decode(out.values())).toBe('a\\b"c');
    expect(scanner.comma() && scanner.key(keysOf('size', 'counts'))).toBe(2);
  });

  it.each(['"\\n"', '"\\u0041"', '"é"', '"\u0001"', '"open'])('leaves %s to the parser', (text) => {
    expect(at(text).skipValue()).toBe(false);
  });

  it('says when it ran out of bytes, wherever that is', () => {
    const text = '{"a": [1, 2.5e3, "x\\\\", null, {"b": true}]}';
    const bytes = new TextEncoder().encode(`${text},`);
    const scanner = new ByteScanner();
    for (let end = 0; end < text.length; end++) {
      scanner.begin(bytes, 0, end);
      expect([scanner.skipValue(), scanner.ranOut]).toEqual([false, true]);
    }
    scanner.begin(bytes, 0, bytes.length);
    expect(scanner.skipValue() && scanner.isAtElementEnd).toBe(true);
  });
});
