/**
 * Reads the plain part of JSON (RFC 8259) straight from bytes: what writers of COCO files write. Everything else, whether it
 * is wrong or only unusual, is left to a full parser: reading stops with `false`, and nothing is reported here.
 */

import type { ByteColumn } from '../format/columns';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SLASH = 0x2f;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const PLUS = 0x2b;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Digits whose number, and powers of ten that, a double holds exactly: one division then rounds as a parser must. */
const EXACT_DIGITS = 15;
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** Values deeper than this are not plain. */
const MAX_DEPTH = 16;

const WORDS = ['true', 'false', 'null'].map(bytesOf);

/** Names of members, as bytes. */
export type Keys = readonly Uint8Array[];

/** Keys to look for with `key`. */
export const keysOf = (...names: readonly string[]): Keys => names.map(bytesOf);

/** A place in some bytes. Each reader moves it behind what it read, or returns false and leaves it anywhere. */
export class ByteScanner {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;
  /** The number read last. */
  value = 0;

  /** Begins anew at a place of some bytes, of which `end` are there. */
  begin(bytes: Uint8Array, at: number, end: number): void {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** Whether reading stopped for the bytes end here, and with more of them might go on. */
  get ranOut(): boolean {
    return this.at >= this.end;
  }

  /** The next byte that is no space, -1 at the end. */
  peek(): number {
    const { bytes, end } = this;
    let { at } = this;
    let byte = -1;
    while (at < end) {
      byte = bytes[at] as number;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
      byte = -1;
      at++;
    }
    this.at = at;
    return byte;
  }

  openList(): boolean {
    return this.take(OPEN_LIST);
  }

  closeList(): boolean {
    return this.take(CLOSE_LIST);
  }

  openObject(): boolean {
    return this.take(OPEN_OBJECT);
  }

  closeObject(): boolean {
    return this.take(CLOSE_OBJECT);
  }

  comma(): boolean {
    return this.take(COMMA);
  }

  get isAtList(): boolean {
    return this.peek() === OPEN_LIST;
  }

  /** Whether an element of a list ends here, at a comma or the list's end. */
  get isAtElementEnd(): boolean {
    const byte = this.peek();
    return byte === COMMA || byte === CLOSE_LIST;
  }

  /** Reads a key and its colon. @returns which of the keys it is, as many as there are for another one, -1 if it is not plain. */
  key(keys: Keys): number {
    if (!this.take(QUOTE)) return -1;
    const start = this.at;
    if (!this.plainText()) return -1;
    const length = this.at - 1 - start;
    const { bytes } = this;
    if (!this.take(COLON)) return -1;
    let k = 0;
    for (; k < keys.length; k++) {
      const name = keys[k] as Uint8Array;
      if (name.length !== length) continue;
      let i = 0;
      while (i < length && name[i] === bytes[start + i]) i++;
      if (i === length) break;
    }
    return k;
  }

  /** Reads a number into `value`. */
  number(): boolean {
    let byte = this.peek();
    const { bytes, end } = this;
    const start = this.at;
    let at = start;
    if (byte === MINUS) at++;
    const whole = at;
    let mantissa = 0;
    for (; at < end; at++) {
      byte = bytes[at] as number;
      if (byte < ZERO || byte > NINE) break;
      mantissa = 10 * mantissa + (byte - ZERO);
    }
    let digits = at - whole;
    this.at = at;
    if (digits === 0 || (digits > 1 && bytes[whole] === ZERO)) return false;
    let fraction = 0;
    if (byte === POINT) {
      const first = ++at;
      for (; at < end; at++) {
        byte = bytes[at] as number;
        if (byte < ZERO || byte > NINE) break;
        mantissa = 10 * mantissa + (byte - ZERO);
      }
      fraction = at - first;
      digits += fraction;
      this.at = at;
      if (fraction === 0) return false;
    }
    if (at >= end) return false;
    if ((byte | 0x20) === 0x65 /* e */) return this.exponent(start);
    if (digits > EXACT_DIGITS) return this.convert(start);
    const magnitude = fraction === 0 ? mantissa : mantissa / (POWERS[fraction] as number);
    this.value = whole > start ? -magnitude : magnitude;
    return true;
  }

  /** Reads exactly so many numbers in a list to `out[0]`... */
  numbers(count: number, out: Float64Array): boolean {
    if (!this.openList()) return false;
    for (let i = 0; i < count; i++) {
      if ((i > 0 && !this.comma()) || !this.number()) return false;
      out[i] = this.value;
    }
    return this.closeList();
  }

  /** Reads a text without its escapes, appended to `out`. */
  text(out: ByteColumn): boolean {
    if (!this.take(QUOTE)) return false;
    const start = this.at;
    if (!this.plainText()) return false;
    const { bytes } = this;
    const end = this.at - 1;
    out.reserve(end - start);
    const { data } = out;
    let { length } = out;
    for (let at = start; at < end; at++) {
      if (bytes[at] === BACKSLASH) at++;
      data[length++] = bytes[at] as number;
    }
    out.length = length;
    return true;
  }

  /** Passes over any plain value. */
  skipValue(depth = 0): boolean {
    const byte = this.peek();
    if (byte === QUOTE) {
      this.at++;
      return this.plainText();
    }
    if (byte === OPEN_LIST) return depth < MAX_DEPTH && this.skipList(depth);
    if (byte === OPEN_OBJECT) return depth < MAX_DEPTH && this.skipObject(depth);
    return byte === MINUS || (byte >= ZERO && byte <= NINE) ? this.skipNumber() : this.skipWord(byte);
  }

  private take(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.at++;
    return true;
  }

  /** Moves behind the closing quote of a text of printable ASCII without escapes but `\\`, `\"` and `\/`. */
  private plainText(): boolean {
    const { bytes, end } = this;
    let { at } = this;
    for (; at < end; at++) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        this.at = at + 1;
        return true;
      }
      if (byte < 0x20 || byte > 0x7e) break;
      if (byte !== BACKSLASH) continue;
      if (++at === end) break;
      const escaped = bytes[at];
      if (escaped !== BACKSLASH && escaped !== QUOTE && escaped !== SLASH) break;
    }
    this.at = at;
    return false;
  }

  private skipList(depth: number): boolean {
    this.at++;
    if (this.closeList()) return true;
    do if (!this.skipValue(depth + 1)) return false;
    while (this.comma());
    return this.closeList();
  }

  private skipObject(depth: number): boolean {
    this.at++;
    if (this.closeObject()) return true;
    do if (this.key([]) < 0 || !this.skipValue(depth + 1)) return false;
    while (this.comma());
    return this.closeObject();
  }

  private skipNumber(): boolean {
    const { bytes, end } = this;
    let { at } = this;
    if (bytes[at] === MINUS) at++;
    const whole = at;
    while (at < end && isDigit(bytes[at] as number)) at++;
    this.at = at;
    if (at === whole || (at > whole + 1 && bytes[whole] === ZERO)) return false;
    if (at < end && bytes[at] === POINT) {
      const first = ++at;
      while (at < end && isDigit(bytes[at] as number)) at++;
      this.at = at;
      if (at === first) return false;
    }
    if (at >= end) return false;
    return ((bytes[at] as number) | 0x20) !== 0x65 /* e */ || this.exponent(whole);
  }

  private skipWord(first: number): boolean {
    const word = WORDS.find((bytes) => bytes[0] === first);
    if (word === undefined) return false;
    for (const byte of word) {
      if (this.at >= this.end || this.bytes[this.at] !== byte) return false;
      this.at++;
    }
    return true;
  }

  /** Reads what follows a mantissa. */
  private exponent(start: number): boolean {
    const { bytes, end } = this;
    let at = this.at + 1;
    if (at < end && (bytes[at] === PLUS || bytes[at] === MINUS)) at++;
    const first = at;
    while (at < end && isDigit(bytes[at] as number)) at++;
    this.at = at;
    return at > first && at < end && this.convert(start) && Number.isFinite(this.value);
  }

  /** For numbers of many digits. */
  private convert(start: number): boolean {
    let text = '';
    for (let at = start; at < this.at; at++) text += String.fromCharCode(this.bytes[at] as number);
    this.value = Number(text);
    return true;
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
