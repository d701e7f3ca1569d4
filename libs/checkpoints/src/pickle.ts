/**
 * Reads Python pickles (protocols 0 to 5; Lib/pickletools.py describes the opcodes) as data. Nothing is imported and
 * nothing of Python is called: names become `PickleGlobal`, unknown objects `PickleObject`.
 */
import type { ByteCursor } from './byte-cursor';
import { FormatError, quote } from './errors';
import { PickleMachine, type PickleOptions } from './pickle-machine';
import { PickleGlobal } from './pickle-values';

const MAX_INTEGER_BYTES = 1024;

/**
 * Reads one pickle and leaves the cursor behind it.
 * @throws FormatError in plain words if the pickle is damaged, unreasonably large, or names what would run code.
 */
export function unpickle(cursor: ByteCursor, options: PickleOptions = {}): unknown {
  const machine = new PickleMachine(options);
  for (;;) {
    const code = cursor.byte();
    if (code === STOP) return machine.pop();
    machine.spend(1);
    const operation = operations[code];
    if (!operation) throw new FormatError(`the pickle has the unknown opcode 0x${code.toString(16)}`);
    operation(machine, cursor);
  }
}

type Operation = (machine: PickleMachine, cursor: ByteCursor) => void;

const STOP = 0x2e;
const code = (character: string): number => character.charCodeAt(0);

const operations: Readonly<Record<number, Operation>> = {
  [code('(')]: (m) => m.mark(),
  [code('0')]: (m) => void m.pop(),
  [code('1')]: (m) => void m.popToMark(),
  [code('2')]: (m) => m.push(m.top()),

  [code('N')]: (m) => m.push(null),
  [0x88]: (m) => m.push(true),
  [0x89]: (m) => m.push(false),
  [code('I')]: (m, c) => m.pushOwn(...sized(c.line(), textInteger)),
  [code('L')]: (m, c) => m.pushOwn(...sized(c.line(), textInteger)),
  [code('J')]: (m, c) => m.push(c.bytes(4).readInt32LE()),
  [code('K')]: (m, c) => m.push(c.byte()),
  [code('M')]: (m, c) => m.push(c.bytes(2).readUInt16LE()),
  [0x8a]: (m, c) => integer(m, c, c.byte()),
  [0x8b]: (m, c) => integer(m, c, c.bytes(4).readInt32LE()),
  [code('F')]: (m, c) => m.push(textFloat(c.line())),
  [code('G')]: (m, c) => m.push(c.bytes(8).readDoubleBE()),

  [code('S')]: (m, c) => m.pushOwn(...sized(c.line(), textString)),
  [code('V')]: (m, c) => m.pushOwn(...sized(c.line(), unescapeUnicode)),
  [code('T')]: (m, c) => text(m, c, c.bytes(4).readUInt32LE()),
  [code('U')]: (m, c) => text(m, c, c.byte()),
  [code('X')]: (m, c) => text(m, c, c.bytes(4).readUInt32LE()),
  [0x8c]: (m, c) => text(m, c, c.byte()),
  [0x8d]: (m, c) => text(m, c, length64(c)),
  [code('B')]: (m, c) => bytes(m, c, c.bytes(4).readUInt32LE()),
  [code('C')]: (m, c) => bytes(m, c, c.byte()),
  [0x8e]: (m, c) => bytes(m, c, length64(c)),
  [0x96]: (m, c) => bytes(m, c, length64(c)),

  [code(')')]: (m) => m.pushContainer([]),
  [code(']')]: (m) => m.pushContainer([]),
  [code('}')]: (m) => m.pushContainer(new Map()),
  [0x8f]: (m) => m.pushContainer(new Set()),
  [code('t')]: (m) => m.pushContainer(m.popToMark()),
  [code('l')]: (m) => m.pushContainer(m.popToMark()),
  [0x85]: (m) => m.pushContainer(m.popMany(1)),
  [0x86]: (m) => m.pushContainer(m.popMany(2)),
  [0x87]: (m) => m.pushContainer(m.popMany(3)),
  [0x91]: (m) => m.pushContainer(new Set(m.popToMark())),
  [code('d')]: (m) => {
    const pairs = m.popToMark();
    m.pushContainer(new Map());
    m.setItems(pairs);
  },
  [code('s')]: (m) => m.setItems(m.popMany(2)),
  [code('u')]: (m) => m.setItems(m.popToMark()),
  [code('a')]: (m) => m.append(m.popMany(1)),
  [code('e')]: (m) => m.append(m.popToMark()),
  [0x90]: (m) => m.add(m.popToMark()),

  [code('p')]: (m, c) => m.memoize(Number(textInteger(c.line()))),
  [code('q')]: (m, c) => m.memoize(c.byte()),
  [code('r')]: (m, c) => m.memoize(c.bytes(4).readUInt32LE()),
  [0x94]: (m) => m.memoize(),
  [code('g')]: (m, c) => m.recall(Number(textInteger(c.line()))),
  [code('h')]: (m, c) => m.recall(c.byte()),
  [code('j')]: (m, c) => m.recall(c.bytes(4).readUInt32LE()),

  [code('c')]: (m, c) => named(m, c.line(), c.line()),
  [0x93]: (m) => {
    const [module, name] = m.popMany(2);
    if (typeof module !== 'string' || typeof name !== 'string')
      throw new FormatError('the pickle has a name that is no text');
    named(m, module, name);
  },
  [code('R')]: (m) => {
    const args = m.pop();
    m.construct(m.popGlobal(), args);
  },
  [0x81]: (m) => {
    const args = m.pop();
    m.construct(m.popGlobal(), args);
  },
  [0x92]: (m) => {
    const [args, named] = m.popMany(2);
    m.construct(m.popGlobal(), named instanceof Map && named.size > 0 ? [args, named] : args);
  },
  [code('i')]: (m, c) => {
    const type = new PickleGlobal(c.line(), c.line());
    m.construct(type, m.popToMark());
  },
  [code('o')]: (m) => {
    const [type, ...args] = m.popToMark();
    m.push(type);
    m.construct(m.popGlobal(), args);
  },
  [code('b')]: (m) => m.setState(m.pop()),
  [code('P')]: (m, c) => m.persistent(c.line()),
  [code('Q')]: (m) => m.persistent(m.pop()),

  [0x80]: (_, c) => {
    const protocol = c.byte();
    if (protocol > 5) throw new FormatError(`the pickle is of protocol ${protocol}, expected at most 5`);
  },
  [0x95]: (_, c) => void length64(c),
};

function text(machine: PickleMachine, cursor: ByteCursor, length: number): void {
  machine.pushOwn(cursor.bytes(length).toString('utf8'), length);
}

function bytes(machine: PickleMachine, cursor: ByteCursor, length: number): void {
  machine.pushContainer(Uint8Array.from(cursor.bytes(length)));
}

function named(machine: PickleMachine, module: string, name: string): void {
  machine.pushOwn(new PickleGlobal(module, name), module.length + name.length + 2 * TEXT_OVERHEAD);
}

/** Bytes that a string takes beside its characters. */
const TEXT_OVERHEAD = 32;

/** A value read from a line of text, and the most that it can take. */
const sized = <T>(line: string, read: (line: string) => T): [value: T, bytes: number] => [read(line), 2 * line.length];

const length64 = (cursor: ByteCursor): number => Number(cursor.bytes(8).readBigUInt64LE());

/** Two's complement, least significant byte first. */
function integer(machine: PickleMachine, cursor: ByteCursor, length: number): void {
  if (length < 0 || length > MAX_INTEGER_BYTES) throw new FormatError(`the pickle has an integer of ${length} bytes`);
  if (length === 0) return machine.push(0);
  const hex = Buffer.from(cursor.bytes(length)).reverse().toString('hex');
  machine.pushOwn(narrow(BigInt.asIntN(8 * length, BigInt(`0x${hex}`))), length);
}

function textInteger(line: string): number | bigint | boolean {
  if (line === '00' || line === '01') return line === '01';
  if (!/^-?\d{1,1024}L?$/.test(line)) throw new FormatError(`the pickle has the integer ${quote(line)}`);
  return narrow(BigInt(line.replace('L', '')));
}

const narrow = (value: bigint): number | bigint =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;

function textFloat(line: string): number {
  const value = Number(line.replace(/^([-+]?)inf$/, '$1Infinity'));
  if (Number.isNaN(value) && line !== 'nan') throw new FormatError(`the pickle has the number ${quote(line)}`);
  return value;
}

function textString(line: string): string {
  const quoted = /^(['"])(.*)\1$/.exec(line);
  if (!quoted) throw new FormatError(`the pickle has the unquoted text ${quote(line)}`);
  return unescapeString(quoted[2]!);
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/** The escapes of a Python string literal: `\x00`, `\n`, `\'`. */
const unescapeString = (escaped: string): string =>
  escaped.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/gs, (_, hex: string | undefined, other: string) =>
    hex ? String.fromCharCode(parseInt(hex, 16)) : (ESCAPES[other] ?? other),
  );

/** Python's raw-unicode-escape: nothing but `\u0000` and `\U00000000`. */
const unescapeUnicode = (escaped: string): string =>
  escaped.replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/g, (_, short: string | undefined, wide: string) => {
    const point = parseInt(short ?? wide, 16);
    if (point > 0x10ffff) throw new FormatError(`the pickle has the character 0x${point.toString(16)}`);
    return String.fromCodePoint(point);
  });
