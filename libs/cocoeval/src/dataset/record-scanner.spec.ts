/** Reading straight from bytes: what it takes it reads as JSON.parse does, and what JSON.parse refuses it refuses. */
import fc from 'fast-check';
import type { Scanned } from './json-records';
import { BOXES, MASKS, RecordScanner, RESULTS } from './record-scanner';

const scanner = RecordScanner.create()!;
const encoder = new TextEncoder();

/** A list of one result whose score is written so. */
const scored = (score: string): string => `{"image_id":1,"category_id":1,"bbox":[0,0,1,1],"score":${score}}]`;

/** A list of one result that has another member too. */
const withMember = (value: string): string => `{"image_id":1,"category_id":1,"bbox":[0,0,1,1],"x":${value},"score":1}]`;

const scan = (text: string): Scanned => scanner.scan(encoder.encode(text), RESULTS | BOXES);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // which is the answer
  }
}

describe('RecordScanner', () => {
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

  /** As detectors write them. */
  const usual = fc.oneof(
    fc.double({ min: -700, max: 700, noNaN: true }).map(String),
    fc.double({ min: 0, max: 1, noNaN: true }).map(String),
    fc.float({ min: 0, max: 1, noNaN: true }).map(String),
    // Halfway between two doubles, or next to it.
    fc
      .tuple(
        fc.bigInt({ min: 2n ** 52n, max: 2n ** 53n }),
        fc.constantFrom(-1n, 0n, 1n),
        fc.integer({ min: 0, max: 27 }),
      )
      .map(([n, beside, places]) => {
        const digits = String(((2n * n + 1n) << 8n) + beside).padStart(places + 1, '0');
        return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
      }),
  );

  it('reads numbers to the last bit, and no other ones than JSON has', () => {
    fc.assert(
      fc.property(fc.oneof(numberText, usual, fc.double().map(String), fc.integer().map(String)), (text) => {
        const { count } = scan(scored(text));
        const value = parsed(text);
        if (count === 1) expect(scanner.records(1).scores[0]).toBe(value);
        // It may leave a number to the parser only where that is beyond all doubles.
        else expect(value === undefined || value === null || Math.abs(Number(value)) === Infinity).toBe(true);
      }),
      { numRuns: 4000 },
    );
  });

  it.each(['01', '-', '1.', '.5', '1e', '1e+', '--1', '1a', 'NaN', 'Infinity', '0x1', '1 2', '', '"1"', 'null'])(
    'refuses the number %j',
    (text) => {
      expect(scan(scored(text))).toEqual({ count: 0, end: 0, stop: 'not plain' });
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
        const list = withMember(text);
        if (scan(list).count === 1) expect(parsed(`[${list}`)).toBeDefined();
      }),
      { numRuns: 2000 },
    );
  });

  it('passes over lists of numbers as the parser does, however long they are and wherever something is wrong', () => {
    const numbers = fc
      .tuple(
        fc.array(
          fc.oneof(
            fc.nat(2000).map(String),
            fc.nat(99_999).map((n) => String(n / 100)),
            usual,
          ),
          { maxLength: 60 },
        ),
        fc.constantFrom(',', ', ', ',', ',\n'),
        fc.nat(),
        fc.constantFrom('', '', '.', ',', ' ', '0', '00', '-', 'e', ']', '[', '1.', ', ', '.5'),
      )
      .map(([list, comma, place, insert]) => {
        const text = `[${list.join(comma)}]`;
        const i = place % (text.length + 1);
        return text.slice(0, i) + insert + text.slice(i);
      });
    fc.assert(
      fc.property(numbers, (list) => {
        const text = withMember(list);
        expect([list, scan(text).count]).toEqual([list, parsed(`[${text}`) === undefined ? 0 : 1]);
      }),
      { numRuns: 4000 },
    );
  });

  it('reads boxes as the parser does, however they are written and wherever something is wrong', () => {
    const short = fc.oneof(
      fc.nat(2000).map(String),
      fc.nat(99_999).map((n) => String(n / 100)),
      usual,
    );
    const boxes = fc
      .tuple(
        fc.array(short, { minLength: 3, maxLength: 5 }),
        fc.constantFrom(',', ', ', ' , '),
        fc.nat(),
        fc.constantFrom('', '', '', '.', ',', ' ', '0', '-', 'e', ']', '1.', ', '),
      )
      .map(([list, comma, place, insert]) => {
        const text = `[${list.slice(0, 4).join(comma)}]`;
        const i = place % (text.length + 1);
        return text.slice(0, i) + insert + text.slice(i);
      });
    const isBox = (value: unknown): boolean =>
      Array.isArray(value) && value.length === 4 && value.every(Number.isFinite);
    fc.assert(
      fc.property(boxes, (box) => {
        const value = parsed(box);
        const { count } = scan(`{"image_id":1,"category_id":1,"bbox":${box},"score":1}]`);
        expect([box, count]).toEqual([box, isBox(value) ? 1 : 0]);
        if (count === 1) expect([...scanner.records(1).boxes]).toEqual(value);
      }),
      { numRuns: 4000 },
    );
  });

  it('reads members in any order, under any name, with any spaces', () => {
    const members = { image_id: '7', category_id: '3', bbox: '[1,2,3,4]', score: '0.5', note: '"x"', 'a "name"': '1' };
    const names = fc.shuffledSubarray(Object.keys(members), { minLength: 4 });
    const space = fc.constantFrom('', ' ', '\n  ');
    const records = fc.array(fc.tuple(names, space, space, space), { minLength: 1, maxLength: 6 }).map((all) =>
      all.map(([chosen, a, b, c]) => {
        const written = chosen.map((name) => `${a}${JSON.stringify(name)}${b}:${c}${members[name as 'score']}`);
        return `{${written.join(',')}}`;
      }),
    );
    fc.assert(
      fc.property(records, (list) => {
        const isWhole = (text: string): boolean =>
          ['image_id', 'category_id', 'bbox', 'score'].every((name) => text.includes(`"${name}"`));
        const whole = list.findIndex((text) => !isWhole(text));
        const { count } = scan(`${list.join(',')}]`);
        expect(count).toBe(whole < 0 ? list.length : whole);
        const { imageIds, categoryIds, scores } = scanner.records(count);
        for (let i = 0; i < count; i++) expect([imageIds[i], categoryIds[i], scores[i]]).toEqual([7, 3, 0.5]);
      }),
      { numRuns: 500 },
    );
  });

  it('passes over what COCO files hold', () => {
    const value = {
      id: 1,
      file_name: 'a/b 1.jpg',
      flickr: null,
      ok: true,
      not: false,
      segmentation: [[1, 2.5, -3], [1e3]],
      empty: {},
      none: [],
      escaped: 'a\\b"c/',
    };
    expect(scan(withMember(JSON.stringify(value, null, 2)))).toMatchObject({ count: 1, stop: 'end' });
  });

  it.each(['"\\n"', '"\\u0041"', '"é"', '"\u0001"', '"\u007f"', '[1,]', '{"a"}', '{1:2}', 'nul', 'truth', '[[]', '01'])(
    'leaves %s to the parser',
    (text) => {
      expect(scan(withMember(text))).toMatchObject({ count: 0, stop: 'not plain' });
    },
  );

  it('reads texts of every length without their escapes', () => {
    for (let length = 0; length < 40; length++) {
      const counts = '1'.repeat(length) + '\\' + '1'.repeat(length % 17) + '2';
      // Whether it is a mask or none: of the sum it makes the width.
      const pixels = sumOf(counts);
      const segmentation = { size: [1, pixels], counts };
      const text = JSON.stringify([{ image_id: 1, category_id: 1, score: 1, segmentation }]).slice(1);
      const isMask = pixels >= 0;
      expect([length, scanner.scan(encoder.encode(text), RESULTS | BOXES | MASKS).count]).toEqual([
        length,
        isMask ? 1 : 0,
      ]);
      if (isMask) expect(new TextDecoder().decode(scanner.records(1).segmentations.counts)).toBe(counts);
    }
  });

  it('stops where bytes are missing, wherever that is, and says so', () => {
    const text = `${withMember('[1, 2.5e3, "x\\\\", null, {"b": true}]').slice(0, -1)}, {"image_id"`;
    const whole = text.lastIndexOf(',') + 1;
    const bytes = encoder.encode(text);
    for (let end = 0; end <= text.length; end++) {
      const read = end >= whole ? { count: 1, end: whole } : { count: 0, end: 0 };
      expect(scanner.scan(bytes.subarray(0, end), RESULTS | BOXES)).toEqual({ ...read, stop: 'incomplete' });
    }
  });

  it('reads what a bracket ends, and goes back before a record that is not wanted', () => {
    const list = `${scored('1').slice(0, -1)} , ${scored('0.5')}`;
    const scanned = scan(list);
    expect(scanned).toEqual({ count: 2, end: list.length - 1, stop: 'end' });
    expect(scanner.stopBefore(scanned, 2)).toBe(scanned);
    expect(scanner.stopBefore(scanned, 1)).toEqual({ count: 1, end: list.lastIndexOf('{'), stop: 'not plain' });
    expect([...scanner.imageIndices([5, 1], 2)]).toEqual([1, 1]);
  });
});

/** The pixels of packed counts, -1 where they are none. */
function sumOf(counts: string): number {
  const runs: number[] = [];
  for (let at = 0; at < counts.length;) {
    let value = 0;
    let shift = 0;
    let code: number;
    do {
      code = counts.charCodeAt(at++) - 48;
      value |= (code & 31) << shift;
      shift += 5;
    } while (code & 32 && at < counts.length);
    if (code & 32) return -1;
    if (code & 16) value |= -1 << shift;
    if (runs.length > 2) value += runs[runs.length - 2]!;
    if (value < 0) return -1;
    runs.push(value);
  }
  return runs.reduce((sum, run) => sum + run, 0);
}
