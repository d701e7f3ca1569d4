/** JSON files of any length as a stream of records (RFC 8259). */
import { CocoFormatError } from '../format/errors';
import {
  elementEnd,
  findFault,
  foreignStart,
  idAsWritten,
  numberAsWritten,
  showByte,
  type JsonFault,
} from './json-fault';

/** What becomes of a JSON text as it is read. */
export interface JsonSink {
  /** A list begins, under a key of the top-level object or as the whole text (key null). */
  list(key: string | null): void;
  /** The next element of that list. */
  record(key: string | null, element: unknown, index: number): void;
  /** A value of the top-level object that is not a list. */
  value(key: string, value: unknown): void;
  /**
   * Reads elements of a list straight from bytes, where the sink knows how: as many as are whole and plain. The next one comes
   * as a record, unless more bytes may help.
   * @returns undefined if it does not know this list.
   */
  scan?(key: string | null, bytes: Uint8Array): Scanned | undefined;
}

/** What became of elements at the beginning of some bytes. */
export interface Scanned {
  /** How many were read. */
  readonly count: number;
  /** How many bytes they took, with the commas behind them. */
  readonly end: number;
  /** What comes then: the bracket that ends the list, an element of which bytes are missing, or one that is not plain. */
  readonly stop: 'end' | 'incomplete' | 'not plain';
}

const BATCH_BYTES = 1 << 17;

/** Bytes of an element that may be read once more when the rest of it has come; longer ones go to the parser. */
const RESCANNED_BYTES = 1 << 14;

/** Limits that no dataset comes near, so that a hostile file costs little: of a record or value, of a key, of nesting. */
const MAX_RECORD_BYTES = 1 << 25;
const MAX_KEY_BYTES = 1 << 16;
const MAX_DEPTH = 500;

/** Spaces in a row that are dropped before they fill the memory. */
const PADDING_BYTES = 1 << 16;

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** `object` is behind its brace, where it may end or have a key; `key` behind a comma, where it must have one. */
type State = 'root' | 'object' | 'key' | 'colon' | 'value' | 'elements' | 'scalar' | 'after' | 'end';

/**
 * Reads a JSON text of any length piece by piece, so that neither the text nor its values are ever held as a whole. It
 * looks for the ends of list elements only; runs of some hundred kilobytes of them go to the platform's own JSON parser.
 */
export class JsonRecords {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
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
  /** Elements of the list that were handed on, and those that are complete but not handed on. */
  private handedOn = 0;
  private waiting = 0;
  /** Bytes of elements that go to the parser at once: of those that could not be scanned few, until that is the rule. */
  private batchBytes = 0;

  /** @param name of the text, for error messages. */
  constructor(
    private readonly sink: JsonSink,
    private readonly name: string,
  ) {}

  push(chunk: Uint8Array): void {
    this.keep(chunk);
    while (this.at < this.length) {
      const scanned = this.scanElements();
      if (scanned === 'incomplete') return;
      if (scanned === 'read') continue;
      if (this.state === 'elements' || this.state === 'scalar') this.skipNested();
      else if (!this.expectsKey() || this.bytes[this.at] !== QUOTE) this.step(this.bytes[this.at] as number);
      else if (!this.readKey()) return;
    }
    this.dropPadding();
  }

  /** @throws CocoFormatError if the text is not complete. */
  end(): void {
    if (this.state === 'end') return;
    const where = this.state === 'elements' ? `, in ${this.label(this.handedOn + this.waiting, '')}` : '';
    throw this.error(`the text ends too early${where}`, this.length);
  }

  /** Appends a chunk to what is left of the last one. */
  private keep(chunk: Uint8Array): void {
    const rest = this.length - this.mark;
    if (rest > MAX_RECORD_BYTES) throw this.beyond(`${MAX_RECORD_BYTES} bytes`);
    if (rest + chunk.length > this.bytes.length) {
      const grown = new Uint8Array(2 * rest + chunk.length);
      grown.set(this.bytes.subarray(this.mark, this.length));
      this.bytes = grown;
    } else if (this.mark > 0) {
      this.bytes.copyWithin(0, this.mark, this.length);
    }
    this.bytes.set(chunk, rest);
    this.length = rest + chunk.length;
    this.consumed += this.mark;
    this.at -= this.mark;
    this.mark = 0;
  }

  /** Keeps one of very many spaces at the end. Where that was needed, errors in the same record name a later byte. */
  private dropPadding(): void {
    if (this.inString || this.at !== this.length || (this.state !== 'elements' && this.state !== 'scalar')) return;
    let end = this.length;
    while (end > this.mark && isSpace(this.bytes[end - 1] as number)) end--;
    if (this.length - end < PADDING_BYTES) return;
    this.consumed += this.length - end - 1;
    this.length = end + 1;
    this.at = this.length;
  }

  /** Takes one byte outside of lists and values. */
  private step(byte: number): void {
    if (isSpace(byte) || (this.state === 'root' && byte === BYTE_ORDER_MARK[this.consumed + this.at])) {
      this.mark = ++this.at;
      return;
    }
    if (this.state === 'root' && byte === OPEN_LIST) this.enterList();
    else if (this.state === 'root' && byte === OPEN_OBJECT) this.enter('object', 1);
    else if (this.state === 'object' && byte === CLOSE_OBJECT) this.enter('end', 1);
    else if (this.state === 'colon' && byte === COLON) this.enter('value', 1);
    else if (this.state === 'value' && byte === OPEN_LIST) this.enterList();
    else if (this.state === 'value') this.enter('scalar', 0);
    else if (this.state === 'after' && byte === COMMA) this.enter('key', 1);
    else if (this.state === 'after' && byte === CLOSE_OBJECT) this.enter('end', 1);
    else throw this.error(this.foreign() ?? `unexpected ${showByte(byte)}`);
  }

  /** What the text is where it begins like something else that files of data sets often are. */
  private foreign(): string | undefined {
    return this.consumed + this.at > 0 ? undefined : foreignStart(this.bytes.subarray(0, this.length));
  }

  private enterList(): void {
    this.enter('elements', 1);
    this.handedOn = 0;
    this.sink.list(this.key);
  }

  private enter(state: State, skip: number): void {
    this.state = state;
    this.at += skip;
    this.mark = this.at;
    this.depth = 0;
  }

  private expectsKey(): boolean {
    return this.state === 'object' || this.state === 'key';
  }

  /** Reads a key if all of it is here. */
  private readKey(): boolean {
    let end = this.at + 1;
    while (end < this.length && this.bytes[end] !== QUOTE) end += this.bytes[end] === BACKSLASH ? 2 : 1;
    if (end - this.at > MAX_KEY_BYTES) throw this.error(`a key of more than ${MAX_KEY_BYTES} bytes`);
    if (end >= this.length) return false;
    this.key = this.parse(this.at, end + 1) as string;
    this.enter('colon', end + 1 - this.at);
    return true;
  }

  /** Lets the sink read the elements that begin here. */
  private scanElements(): 'read' | 'incomplete' | 'not plain' {
    if (this.state !== 'elements' || this.at !== this.mark) return 'not plain';
    const scanned = this.sink.scan?.(this.key, this.bytes.subarray(this.at, this.length));
    if (scanned === undefined) {
      this.batchBytes = BATCH_BYTES;
      return 'not plain';
    }
    if (scanned.count > 0) {
      this.handedOn += scanned.count;
      this.batchBytes = 0;
      this.at += scanned.end;
      this.mark = this.at;
      if (scanned.stop === 'end') this.leaveElement(CLOSE_LIST);
      return 'read';
    }
    if (scanned.stop === 'incomplete' && this.length - this.mark < RESCANNED_BYTES) return 'incomplete';
    this.batchBytes = Math.min(2 * this.batchBytes + 1, BATCH_BYTES);
    return 'not plain';
  }

  /** Moves over elements or one value, handing on what is complete. */
  private skipNested(): void {
    const { bytes, length } = this;
    const batchBytes = this.sink.scan === undefined ? BATCH_BYTES : this.batchBytes;
    let { at, depth, inString } = this;
    for (; at < length; at++) {
      const byte = bytes[at] as number;
      if (inString) {
        if (byte === BACKSLASH) at++;
        else if (byte === QUOTE) inString = false;
      } else if (byte === QUOTE) {
        inString = true;
      } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
        if (++depth > MAX_DEPTH) throw this.beyond(`${MAX_DEPTH} levels of nesting`);
      } else if ((byte === CLOSE_LIST || byte === CLOSE_OBJECT) && depth-- === 0) {
        break;
      } else if (byte === COMMA && depth === 0) {
        if (this.state === 'scalar' || at - this.mark >= batchBytes) break;
        this.waiting++;
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
    if (elements.length === 0 && (byte === COMMA || this.handedOn > 0)) throw this.lacksElement(byte);
    this.handOnElements(elements);
    this.leaveElement(byte);
  }

  /** Moves behind the byte after an element. */
  private leaveElement(byte: number): void {
    if (byte === COMMA) this.enter('elements', 1);
    else if (byte === CLOSE_LIST) this.enter(this.key === null ? 'end' : 'after', 1);
    else throw this.error("expected ']'");
  }

  /** For two commas in a row, or one before the end. */
  private lacksElement(byte: number): CocoFormatError {
    const fault = { at: this.at, element: 0, elementStart: this.mark, field: undefined };
    return this.faulty({ ...fault, expected: 'a JSON value', received: showByte(byte) });
  }

  private handOnElements(elements: readonly unknown[]): void {
    this.waiting = 0;
    for (let i = 0; i < elements.length; i++) {
      try {
        this.sink.record(this.key, elements[i], this.handedOn);
      } catch (error) {
        throw this.asWritten(error, i);
      }
      this.handedOn++;
    }
  }

  /** An error about a number that no double holds, with the number as the text has it. */
  private asWritten(error: unknown, element: number): unknown {
    if (!(error instanceof CocoFormatError) || typeof error.received !== 'number') return error;
    const { received, message } = error;
    if (Number.isSafeInteger(received) || !(Number.isInteger(received) || Math.abs(received) === Infinity))
      return error;
    let start = this.mark;
    for (let i = 0; i < element; i++) start = elementEnd(this.bytes, start, this.at) + 1;
    const written = numberAsWritten(this.bytes, start, this.at, received);
    return written === undefined ? error : new CocoFormatError(message.replaceAll(String(received), written), received);
  }

  private parse(from: number, to: number, open = '', close = ''): unknown {
    try {
      return JSON.parse(open + this.decoder.decode(this.bytes.subarray(from, to)) + close);
    } catch (error) {
      const fault = findFault(this.bytes.subarray(0, this.length), from, to);
      throw fault ? this.faulty(fault) : this.error((error as Error).message, from);
    }
  }

  private faulty({ at, expected, received, element, elementStart, field }: JsonFault): CocoFormatError {
    const id = this.state === 'elements' ? idAsWritten(this.bytes, elementStart, this.length) : '';
    const place =
      this.state === 'elements' ? this.label(this.handedOn + element, id) : `${this.name}: ${this.key ?? ''}`;
    const where = field === undefined ? place : `${place}: ${field}`;
    return new CocoFormatError(`${where}: expected ${expected}, received ${received} at byte ${this.consumed + at}`);
  }

  /** A record's name, e.g. `val.json: annotations[3] (id 17)`. */
  private label(index: number, id: string): string {
    return `${this.name}${this.key === null ? '' : `: ${this.key}`}[${index}]${id}`;
  }

  private beyond(limit: string): CocoFormatError {
    const place =
      this.state === 'elements' ? this.label(this.handedOn + this.waiting, '') : `${this.name}: ${this.key}`;
    return new CocoFormatError(`${place}: expected at most ${limit}, received more`);
  }

  private error(what: string, at = this.at): CocoFormatError {
    return new CocoFormatError(`${this.name}: not valid JSON at byte ${this.consumed + at}: ${what}`);
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
