/** Reads a file from front to back, as pickles need it, with little of it in memory. */
import { FormatError } from './errors';

/** Bytes that can be read at any position; the read throws outside of them. */
export interface ByteSource {
  readonly size: number;
  read(position: number, length: number, what: string): Buffer;
}

const WINDOW = 1 << 16;
const MAX_LINE = 4096;

/** Reads a byte source from front to back through a small window. */
export class ByteCursor {
  private readonly source: ByteSource;
  private window: Buffer = Buffer.alloc(0);
  private windowStart: number;
  private at: number;

  constructor(source: ByteSource, position = 0) {
    this.source = source;
    this.at = this.windowStart = position;
  }

  get position(): number {
    return this.at;
  }

  byte(): number {
    const value = this.window[this.at - this.windowStart] ?? this.refill(1)[0]!;
    this.at++;
    return value;
  }

  /** The next `length` bytes, in memory that the next call may reuse: copy what is kept. */
  bytes(length: number): Buffer {
    let start = this.at - this.windowStart;
    if (start + length > this.window.length) {
      this.refill(length);
      start = 0;
    }
    this.at += length;
    return this.window.subarray(start, start + length);
  }

  private refill(length: number): Buffer {
    const left = Math.max(this.source.size - this.at, 0);
    this.window = this.source.read(this.at, Math.max(length, Math.min(WINDOW, left)), 'the pickle');
    this.windowStart = this.at;
    return this.window;
  }

  /** Latin-1 text up to a line feed, which is left out. */
  line(): string {
    const codes: number[] = [];
    for (let code = this.byte(); code !== 0x0a; code = this.byte()) {
      if (codes.push(code) > MAX_LINE) throw new FormatError(`a line of text is longer than ${MAX_LINE} bytes`);
    }
    return Buffer.from(codes).toString('latin1');
  }
}
