import { FormatError } from './errors';
import { constructorOf, PickleGlobal, PickleObject, typeName, type PickleConstructor } from './pickle-values';

export interface PickleOptions {
  /** Values for calls of these names (`torch._utils._rebuild_tensor_v2`), besides Python's own containers. */
  readonly constructors?: ReadonlyMap<string, PickleConstructor>;
  /** What stands for an object that the pickle keeps outside of itself. */
  readonly persistentLoad?: (id: unknown) => unknown;
}

/** Far above any real checkpoint; bounds time and memory for files made to exhaust them. */
const MAX_STEPS = 8_000_000;
const MAX_CONTAINERS = 1_000_000;
/** The stack, the marks on it and the memo of one pickle. */
export class PickleMachine {
  readonly #stack: unknown[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  #steps = 0;
  #containers = 0;

  constructor(private readonly options: PickleOptions) {}

  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > MAX_STEPS) throw new FormatError(`the pickle takes more than ${MAX_STEPS} steps`);
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  /** Pushes a value that holds others. */
  pushContainer(value: object): void {
    if (++this.#containers > MAX_CONTAINERS) {
      throw new FormatError(`the pickle holds more than ${MAX_CONTAINERS} containers`);
    }
    this.push(value);
  }

  pop(): unknown {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw new FormatError('the pickle takes from an empty stack');
    return this.#stack.pop();
  }

  top(): unknown {
    const value = this.pop();
    this.push(value);
    return value;
  }

  popMany(count: number): unknown[] {
    const values = new Array<unknown>(count);
    while (count > 0) values[--count] = this.pop();
    return values;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** What was pushed since the last mark. */
  popToMark(): unknown[] {
    const start = this.#marks.pop();
    if (start === undefined) throw new FormatError('the pickle closes a group that it did not open');
    return this.#stack.splice(start);
  }

  memoize(index = this.#memo.size): void {
    this.#memo.set(index, this.top());
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) throw new FormatError(`the pickle recalls entry ${index}, which it did not store`);
    this.push(this.#memo.get(index));
  }

  popGlobal(): PickleGlobal {
    const value = this.pop();
    if (value instanceof PickleGlobal) return value;
    throw new FormatError(`the pickle calls ${typeName(value)}, which is not the name of a class or function`);
  }

  /** Stands in for a call in Python: one of our constructors or an opaque record, never the thing named. */
  construct(type: PickleGlobal, args: unknown): void {
    const build = constructorOf(type, this.options.constructors ?? new Map());
    if (!build) return this.pushContainer(new PickleObject(type, args));
    const list = Array.isArray(args) ? (args as unknown[]) : [args];
    for (const arg of list) this.spend(extent(arg));
    try {
      this.pushContainer(build(list) as object);
    } catch (error) {
      throw error instanceof TypeError ? new FormatError(`the pickle gives ${type.path} unfit arguments`) : error;
    }
  }

  setItems(pairs: readonly unknown[]): void {
    const target = this.top();
    const items = target instanceof PickleObject ? target.items : target;
    if (!(items instanceof Map)) throw new FormatError(`the pickle sets items of ${typeName(target)}`);
    if (pairs.length % 2 === 1) throw new FormatError('the pickle has a key without a value');
    for (let i = 0; i < pairs.length; i += 2) items.set(pairs[i], pairs[i + 1]);
  }

  append(values: readonly unknown[]): void {
    const target = this.top();
    const list = target instanceof PickleObject ? target.list : target;
    if (!Array.isArray(list)) throw new FormatError(`the pickle appends to ${typeName(target)}`);
    for (const value of values) list.push(value);
  }

  add(values: readonly unknown[]): void {
    const target = this.top();
    if (!(target instanceof Set)) throw new FormatError(`the pickle adds to ${typeName(target)}`);
    for (const value of values) target.add(value);
  }

  /** Attributes are kept for opaque records; those of containers and tensors (`_metadata`) mean nothing here. */
  setState(state: unknown): void {
    const target = this.top();
    if (target instanceof PickleObject) target.state = state;
  }

  persistent(id: unknown): void {
    const { persistentLoad } = this.options;
    if (!persistentLoad) throw new FormatError('the pickle refers to data outside of itself');
    this.push(persistentLoad(id));
  }
}

function extent(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value) || value instanceof Uint8Array) return value.length;
  return value instanceof Map || value instanceof Set ? value.size : 1;
}
