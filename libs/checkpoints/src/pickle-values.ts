/**
 * What a pickle turns into. Python's dict and OrderedDict are a Map, list and tuple an array, set a Set, bytes a
 * Uint8Array, None null, an int a number or, beyond 2^53, a bigint. Classes and functions stay names.
 */
import { FormatError, quote } from './errors';

/** The name of a Python class or function; it is never imported. */
export class PickleGlobal {
  constructor(
    readonly module: string,
    readonly name: string,
  ) {}

  get path(): string {
    return `${this.module}.${this.name}`;
  }
}

/** An instance of a class, or the result of a function, that is not known here: its arguments, items and state as the pickle gives them. */
export class PickleObject {
  readonly items = new Map<unknown, unknown>();
  readonly list: unknown[] = [];
  state: unknown = null;

  constructor(
    readonly type: PickleGlobal,
    readonly args: unknown,
  ) {}
}

/** Builds a value from the arguments of a call in the pickle. */
export type PickleConstructor = (args: readonly unknown[]) => unknown;

const toBytes: PickleConstructor = ([text = '']) => {
  if (typeof text !== 'string') throw new TypeError('expected text');
  return new Uint8Array(Buffer.from(text, 'latin1'));
};

/** Plain containers and values, under the names that Python 2 and 3 pickle them by. */
const plainTypes: ReadonlyMap<string, PickleConstructor> = new Map([
  ['collections.OrderedDict', toMap],
  ['collections.Counter', toMap],
  ['collections.defaultdict', () => new Map()],
  ['_codecs.encode', toBytes],
  ...['builtins', '__builtin__'].flatMap((module): [string, PickleConstructor][] => [
    [`${module}.dict`, toMap],
    [`${module}.list`, toList],
    [`${module}.tuple`, toList],
    [`${module}.set`, toSet],
    [`${module}.frozenset`, toSet],
    [`${module}.bytearray`, toBytes],
  ]),
]);

/**
 * Functions that a file names only to run code when Python opens it. Nothing here would call them; refusing them by
 * name warns whoever got such a file.
 */
const CODE_RUNNERS = [
  /^(os|posix|nt|subprocess|sys|shutil|socket|ctypes|importlib|runpy|pty|code|pip|webbrowser)\./,
  /^(builtins|__builtin__)\.(eval|exec|execfile|compile|__import__|open|input|breakpoint|apply)$/,
];

/**
 * The constructor for a name, ours and never Python's: `undefined` leaves an opaque record.
 * @throws FormatError if the name stands for running code.
 */
export function constructorOf(
  { path }: PickleGlobal,
  constructors: ReadonlyMap<string, PickleConstructor>,
): PickleConstructor | undefined {
  if (CODE_RUNNERS.some((pattern) => pattern.test(path))) {
    throw new FormatError(`refused, it would call ${quote(path)} when opened in Python`);
  }
  return constructors.get(path) ?? plainTypes.get(path);
}

function toMap([items = []]: readonly unknown[]): Map<unknown, unknown> {
  return new Map(items as Iterable<readonly [unknown, unknown]>);
}

function toList([items = []]: readonly unknown[]): unknown[] {
  return [...(items as Iterable<unknown>)];
}

function toSet([items = []]: readonly unknown[]): Set<unknown> {
  return new Set(items as Iterable<unknown>);
}

/** A word for the kind of a value, for messages. */
export function typeName(value: unknown): string {
  if (value === null) return 'None';
  if (value instanceof PickleGlobal) return value.path;
  if (value instanceof PickleObject) return `an object of ${value.type.path}`;
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Map) return 'a dict';
  return value instanceof Object ? value.constructor.name : typeof value;
}
