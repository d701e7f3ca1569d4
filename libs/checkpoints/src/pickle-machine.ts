/** The machine that a pickle's opcodes work on, bounded in steps and in memory. */
import { FormatError } from './errors';
import { constructorOf, PickleGlobal, PickleObject, typeName, type PickleConstructor } from './pickle-values';

export interface PickleOptions {
  /** Values for calls of these names (`torch._utils._rebuild_tensor_v2`), besides Python's own containers. */
  readonly constructors?: ReadonlyMap<string, PickleConstructor>;
  /** What stands for an object that the pickle keeps outside of itself. */
  readonly persistentLoad?: (id: unknown) => unknown;
}

/** Far above any real checkpoint; bound time and memory for files made to exhaust them. */
const MAX_STEPS = 4_000_000;
const MAX_MEMORY = 128 << 20;

/** About how many bytes JavaScript takes, text and bytes beside their length. */
const COST = { value: 32, container: 200, object: 400, item: 16, pair: 64 } as const;

/** The stack, the marks on it and the memo of one pickle, with what it has taken of time and memory. */
export class PickleMachine {
  private readonly stack: unknown[] = [];
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, unknown>();
  private steps = 0;
  private memory = 0;

  constructor(private readonly options: PickleOptions) {}

  /** @throws FormatError after more steps than any real checkpoint takes. */
  spend(steps: number): void {
    this.steps += steps;
    if (this.steps > MAX_STEPS) throw new FormatError(`the pickle takes more than ${MAX_STEPS} steps`);
  }

  /** @throws FormatError if the values would need more memory than those of any real checkpoint. */
  claim(bytes: number): void {
    this.memory += bytes;
    if (this.memory > MAX_MEMORY) throw new FormatError(`the pickle's values need more than ${MAX_MEMORY} bytes`);
  }

  push(value: unknown): void {
    this.stack.push(value);
  }

  /** Pushes a value that has memory of its own. @param bytes of its content. */
  pushOwn(value: unknown, bytes: number): void {
    this.claim(COST.value + bytes);
    this.push(value);
  }

  /** Pushes a value that holds others. */
  pushContainer(value: unknown): void {
    this.claim(costOf(value));
    this.push(value);
  }

  pop(): unknown {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) throw new FormatError('the pickle takes from an empty stack');
    return this.stack.pop();
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
    this.marks.push(this.stack.length);
  }

  /** What was pushed since the last mark. */
  popToMark(): unknown[] {
    const start = this.marks.pop();
    if (start === undefined) throw new FormatError('the pickle closes a group that it did not open');
    return this.stack.splice(start);
  }

  memoize(index = this.memo.size): void {
    this.claim(COST.pair);
    this.memo.set(index, this.top());
  }

  recall(index: number): void {
    if (!this.memo.has(index)) throw new FormatError(`the pickle recalls entry ${index}, which it did not store`);
    this.push(this.memo.get(index));
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
    for (const arg of list) {
      this.spend(extent(arg));
      this.claim(COST.item * extent(arg));
    }
    try {
      this.pushContainer(build(list));
    } catch (error) {
      throw error instanceof TypeError ? new FormatError(`the pickle gives ${type.path} unfit arguments`) : error;
    }
  }

  setItems(pairs: readonly unknown[]): void {
    const target = this.top();
    const items = target instanceof PickleObject ? target.items : target;
    if (!(items instanceof Map)) throw new FormatError(`the pickle sets items of ${typeName(target)}`);
    if (pairs.length % 2 === 1) throw new FormatError('the pickle has a key without a value');
    this.claim((COST.pair * pairs.length) / 2);
    for (let i = 0; i < pairs.length; i += 2) items.set(pairs[i], pairs[i + 1]);
  }

  append(values: readonly unknown[]): void {
    const target = this.top();
    const list = target instanceof PickleObject ? target.list : target;
    if (!Array.isArray(list)) throw new FormatError(`the pickle appends to ${typeName(target)}`);
    this.claim(COST.item * values.length);
    for (const value of values) list.push(value);
  }

  add(values: readonly unknown[]): void {
    const target = this.top();
    if (!(target instanceof Set)) throw new FormatError(`the pickle adds to ${typeName(target)}`);
    this.claim(COST.pair * values.length);
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
    this.pushOwn(persistentLoad(id), COST.container);
  }
}

/** Elements that a constructor goes through. */
function extent(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value) || value instanceof Uint8Array) return value.length;
  return value instanceof Map || value instanceof Set ? value.size : 1;
}

function costOf(value: unknown): number {
  if (Array.isArray(value)) return COST.value + COST.item * value.length;
  if (value instanceof Map || value instanceof Set) return COST.container + COST.pair * value.size;
  return value instanceof Uint8Array ? COST.container + value.length : COST.object;
}
