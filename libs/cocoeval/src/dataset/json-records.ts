import { CocoFormatError } from '../format/errors';

/** What becomes of a JSON text as it is read. */
export interface JsonSink {
  /** Some more elements of the list under a key of the top-level object, or of the top-level list (key null). */
  records(key: string | null, elements: unknown[]): void;
  /** A value of the top-level object that is not a list. */
  value(key: string, value: unknown): void;
}

const BATCH_BYTES = 1 << 17;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

type State = 'root' | 'key' | 'colon' | 'value' | 'elements' | 'scalar' | 'after' | 'end';

/**
 * Reads a JSON text of any length piece by piece, so that neither the text nor its values are ever held as a whole. It
 * looks for the ends of list elements only; runs of some hundred kilobytes of them go to the platform's own JSON parser.
 */
export class JsonRecords {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  /** Bytes not yet handed on, and how many there are. */
  private bytes = new Uint8Array(0);
  private length = 0;
  /** Bytes handed on before `bytes[0]`. */
  private consumed = 0;
  private at = 0;
  /** Where the batch, key or value being read begins. */
  private mark = 0;
  private depth = 0;
  private inString = false;
  private state: State = 'root';
  private key: string | null = null;

  /** @param name of the text, for error messages. */
  constructor(
    private readonly sink: JsonSink,
    private readonly name: string,
  ) {}

  push(chunk: Uint8Array): void {
    this.keep(chunk);
    while (this.at < this.length) {
      if (this.state === 'elements' || this.state === 'scalar') this.skipNested();
      else if (this.state !== 'key' || this.bytes[this.at] !== QUOTE) this.step(this.bytes[this.at] as number);
      else if (!this.readKey()) return;
    }
  }

  /** @throws CocoFormatError if the text is not complete. */
  end(): void {
    if (this.state !== 'end') throw this.error('the text ends too early');
  }

  /** Appends a chunk to what is left of the last one. */
  private keep(chunk: Uint8Array): void {
    const rest = this.length - this.mark;
    if (rest + chunk.length > this.bytes.length) {
      const grown = new Uint8Array(2 * rest + chunk.length);
      grown.set(this.bytes.subarray(this.mark, this.length));
      this.bytes = grown;
    } else {
      this.bytes.copyWithin(0, this.mark, this.length);
    }
    this.bytes.set(chunk, rest);
    this.length = rest + chunk.length;
    this.consumed += this.mark;
    this.at -= this.mark;
    this.mark = 0;
  }

  /** Takes one byte outside of lists and values. */
  private step(byte: number): void {
    if (isSpace(byte) || (this.state === 'root' && isByteOrderMark(byte))) {
      this.mark = ++this.at;
      return;
    }
    if (this.state === 'root' && byte === OPEN_LIST) this.enter('elements', 1);
    else if (this.state === 'root' && byte === OPEN_OBJECT) this.enter('key', 1);
    else if (this.state === 'key' && byte === CLOSE_OBJECT) this.enter('end', 1);
    else if (this.state === 'colon' && byte === COLON) this.enter('value', 1);
    else if (this.state === 'value') this.enter(byte === OPEN_LIST ? 'elements' : 'scalar', byte === OPEN_LIST ? 1 : 0);
    else if (this.state === 'after' && byte === COMMA) this.enter('key', 1);
    else if (this.state === 'after' && byte === CLOSE_OBJECT) this.enter('end', 1);
    else throw this.error(`unexpected '${String.fromCharCode(byte)}'`);
  }

  private enter(state: State, skip: number): void {
    this.state = state;
    this.at += skip;
    this.mark = this.at;
    this.depth = 0;
  }

  /** Reads a key if all of it is here. */
  private readKey(): boolean {
    let end = this.at + 1;
    while (end < this.length && this.bytes[end] !== QUOTE) end += this.bytes[end] === BACKSLASH ? 2 : 1;
    if (end >= this.length) return false;
    this.key = this.parse(this.at, end + 1) as string;
    this.enter('colon', end + 1 - this.at);
    return true;
  }

  /** Moves over elements or one value, handing on what is complete. */
  private skipNested(): void {
    const { bytes, length } = this;
    let { at, depth, inString } = this;
    for (; at < length; at++) {
      const byte = bytes[at] as number;
      if (inString) {
        if (byte === BACKSLASH) at++;
        else if (byte === QUOTE) inString = false;
      } else if (byte === QUOTE) {
        inString = true;
      } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
        depth++;
      } else if ((byte === CLOSE_LIST || byte === CLOSE_OBJECT) && depth-- === 0) {
        break;
      } else if (byte === COMMA && depth === 0 && (this.state === 'scalar' || at - this.mark >= BATCH_BYTES)) {
        break;
      }
    }
    this.at = at;
    this.depth = depth;
    this.inString = inString;
    if (at < length) this.handOn(bytes[at] as number);
  }

  /** Hands on what stands between the mark and the byte that ends it. */
  private handOn(byte: number): void {
    if (this.state === 'scalar') {
      this.sink.value(this.key as string, this.parse(this.mark, this.at));
      this.enter('after', 0);
      return;
    }
    const elements = this.parse(this.mark, this.at, '[', ']') as unknown[];
    this.sink.records(this.key, elements);
    if (byte === COMMA) this.enter('elements', 1);
    else if (byte === CLOSE_LIST) this.enter(this.key === null ? 'end' : 'after', 1);
    else throw this.error("expected ']'");
  }

  private parse(from: number, to: number, open = '', close = ''): unknown {
    try {
      return JSON.parse(open + this.decoder.decode(this.bytes.subarray(from, to)) + close);
    } catch (error) {
      throw this.error((error as Error).message, from);
    }
  }

  private error(what: string, at = this.at): CocoFormatError {
    return new CocoFormatError(`${this.name}: not valid JSON after byte ${this.consumed + at}: ${what}`);
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isByteOrderMark(byte: number): boolean {
  return byte === 0xef || byte === 0xbb || byte === 0xbf;
}
