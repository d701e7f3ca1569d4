/**
 * Finds where a text stops being JSON (RFC 8259). The platform's parser is fast but says so in words that differ between
 * engines, and not in which record; this one is slow, exact, and called only once the other has refused.
 */

export interface JsonFault {
  /** Index of the byte at which the text breaks. */
  readonly at: number;
  readonly expected: string;
  readonly received: string;
  /** Which of the elements it is in, and where that begins. */
  readonly element: number;
  readonly elementStart: number;
  /** The member it is in, if the element is an object. */
  readonly field: string | undefined;
}

/**
 * Reads `bytes[from]` to `bytes[to - 1]`, elements with commas between, and finds what is not JSON.
 * @returns undefined if everything is.
 */
export function findFault(bytes: Uint8Array, from: number, to: number): JsonFault | undefined {
  return new Walk(bytes, from, to).fault();
}

/** The text of the first number from `from` on that a double holds as `value`, which prints in another way. */
export function numberAsWritten(bytes: Uint8Array, from: number, to: number, value: number): string | undefined {
  const text = decode(bytes, from, elementEnd(bytes, from, to));
  for (const [, token] of text.matchAll(/"(?:[^"\\]|\\.)*"|(-?\d[\d.eE+-]*)/g)) {
    if (token !== undefined && Number(token) === value) return token;
  }
  return undefined;
}

/** Says which record begins at `from`, e.g. ` (id 17)`, from what can be read of it; '' if nothing can. */
export function idAsWritten(bytes: Uint8Array, from: number, to: number): string {
  const text = decode(bytes, from, elementEnd(bytes, from, to));
  for (const field of ['id', 'image_id']) {
    const id = new RegExp(`"${field}"\\s*:\\s*(-?\\d{1,30}|"[^"\\\\]{1,40}")`).exec(text)?.[1];
    if (id !== undefined) return ` (${field} ${id})`;
  }
  return '';
}

/** Where the element that begins at `from` ends: at a comma or bracket outside of it, or at `to`. */
export function elementEnd(bytes: Uint8Array, from: number, to: number): number {
  let depth = 0;
  let inString = false;
  for (let at = from; at < to; at++) {
    const char = String.fromCharCode(bytes[at] as number);
    if (inString) {
      if (char === '\\') at++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '[' || char === '{') depth++;
    else if ((char === ']' || char === '}') && depth-- === 0) return at;
    else if (char === ',' && depth === 0) return at;
  }
  return to;
}

type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'next';

const IN_WORDS: Readonly<Record<Expected, string>> = {
  value: 'a JSON value',
  'value or end': 'a JSON value',
  key: 'a key in quotes',
  'key or end': 'a key in quotes',
  colon: "':'",
  next: "',' or the end of what was begun",
};

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/;
const WORD = /[-+.\w]/;
const SHOWN_CHARACTERS = 30;

class Walk {
  private expected: Expected = 'value or end';
  /** The brackets that are open. */
  private readonly open: string[] = [];
  private element = 0;
  private elementStart: number;
  private field: string | undefined;

  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
    private readonly to: number,
  ) {
    this.elementStart = at;
  }

  fault(): JsonFault | undefined {
    for (;;) {
      while (this.at < this.to && ' \n\r\t'.includes(this.char())) this.at++;
      if (this.at >= this.to) return this.isComplete() ? undefined : this.wrong();
      const fault = this.step(this.char());
      if (fault) return fault;
    }
  }

  private isComplete(): boolean {
    return this.open.length === 0 && (this.expected === 'next' || this.expected === 'value or end');
  }

  private step(char: string): JsonFault | undefined {
    if (this.expected === 'next') return this.afterValue(char);
    if (this.expected === 'colon') return char === ':' ? this.go('value') : this.wrong();
    if (this.expected === 'key' || this.expected === 'key or end') {
      if (char === '"') return this.string(true);
      return char === '}' && this.expected === 'key or end' ? this.close() : this.wrong();
    }
    if (char === '"') return this.string(false);
    if (char === '[' || char === '{') {
      this.open.push(char);
      return this.go(char === '[' ? 'value or end' : 'key or end');
    }
    if (char === ']' && this.expected === 'value or end' && this.open.at(-1) === '[') return this.close();
    return this.word();
  }

  private go(expected: Expected, bytes = 1): undefined {
    this.at += bytes;
    this.expected = expected;
  }

  private close(): undefined {
    this.open.pop();
    this.go('next');
  }

  private afterValue(char: string): JsonFault | undefined {
    const inside = this.open.at(-1);
    if ((char === ']' && inside === '[') || (char === '}' && inside === '{')) return this.close();
    if (char !== ',') return this.wrong();
    this.go(inside === '{' ? 'key' : 'value');
    if (inside === undefined) {
      this.element++;
      this.elementStart = this.at;
      this.field = undefined;
    }
    return undefined;
  }

  private string(isKey: boolean): JsonFault | undefined {
    const start = this.at++;
    while (this.at < this.to && this.char() !== '"') {
      if ((this.bytes[this.at] as number) < 0x20) return this.wrong('a character that JSON allows in text');
      this.at += this.char() === '\\' ? 2 : 1;
    }
    if (this.at >= this.to) return this.wrong(`'"'`);
    const text = this.parse(start, this.at + 1);
    if (text === undefined) {
      this.at = start;
      return this.wrong('text in UTF-8 with the escapes of JSON');
    }
    if (isKey && this.open.length === 1) this.field = text.slice(0, SHOWN_CHARACTERS);
    return this.go(isKey ? 'colon' : 'next');
  }

  private parse(from: number, to: number): string | undefined {
    try {
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(this.bytes.subarray(from, to))) as string;
    } catch {
      return undefined;
    }
  }

  /** A number, true, false or null. */
  private word(): JsonFault | undefined {
    const word = this.wordHere();
    return NUMBER.test(word) || ['true', 'false', 'null'].includes(word) ? this.go('next', word.length) : this.wrong();
  }

  private wordHere(): string {
    let end = this.at;
    while (end < this.to && WORD.test(String.fromCharCode(this.bytes[end] as number))) end++;
    return decode(this.bytes, this.at, end);
  }

  private wrong(expected = IN_WORDS[this.expected]): JsonFault {
    const { at, element, elementStart, field } = this;
    return { at, expected, received: this.received(), element, elementStart, field };
  }

  private received(): string {
    const word = this.at < this.to ? this.wordHere() : '';
    if (word !== '') return word.length > SHOWN_CHARACTERS ? `${word.slice(0, SHOWN_CHARACTERS)}...` : word;
    return this.at < this.bytes.length ? showByte(this.bytes[this.at] as number) : 'the end of the text';
  }

  private char(): string {
    return String.fromCharCode(this.bytes[this.at] as number);
  }
}

/** First bytes of what files of data sets often are in place of a text. */
const FOREIGN: readonly (readonly [start: readonly number[], what: string])[] = [
  [[0xff, 0xfe], 'it is UTF-16, expected UTF-8'],
  [[0xfe, 0xff], 'it is UTF-16, expected UTF-8'],
  [[0x1f, 0x8b], 'it is packed by gzip: unpack it first'],
  [[0x50, 0x4b, 3, 4], 'it is a zip file: unpack it first'],
  [[...'version https://git-lfs'].map((letter) => letter.charCodeAt(0)), 'it is a Git LFS pointer: git lfs pull gets the file itself'], // prettier-ignore
];

/** What a text that is not JSON is instead, by its first bytes; undefined for others. */
export function foreignStart(bytes: Uint8Array): string | undefined {
  return FOREIGN.find(([start]) => start.every((byte, i) => bytes[i] === byte))?.[1];
}

/** A byte as its character, if it has one that can be seen. */
export function showByte(byte: number): string {
  return byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `byte 0x${byte.toString(16).padStart(2, '0')}`;
}

function decode(bytes: Uint8Array, from: number, to: number): string {
  return new TextDecoder().decode(bytes.subarray(from, to));
}
