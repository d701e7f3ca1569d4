/** Growing typed arrays: the storage of everything that comes by the hundred thousand. */

export type ColumnData = Float64Array | Uint32Array | Uint8Array;

const FIRST_CAPACITY = 64;

/** A typed array that grows; only `data[0]` to `data[length - 1]` count. */
export class Column<Data extends ColumnData = ColumnData> {
  length = 0;

  protected constructor(
    public data: Data,
    private readonly create: (from: number | SharedArrayBuffer) => Data,
  ) {}

  push(value: number): void {
    if (this.length === this.data.length) this.reserve(1);
    this.data[this.length++] = value;
  }

  /** Makes room for so many times as many entries; what is not used of it is not memory yet. */
  expect(factor: number): void {
    this.reserve(Math.ceil((factor - 1) * this.length));
  }

  /** Makes room for more entries. `data` may be another array afterwards. */
  reserve(extra: number): void {
    const needed = this.length + extra;
    if (needed <= this.data.length) return;
    const grown = this.create(Math.max(needed, 2 * this.data.length));
    grown.set(this.values());
    this.data = grown;
  }

  append(values: Data): void {
    this.reserve(values.length);
    this.data.set(values, this.length);
    this.length += values.length;
  }

  get(index: number): number {
    return this.data[index] as number;
  }

  /** Moves to memory that threads share. @returns the filled part. */
  share(): Data {
    if (this.data.buffer instanceof SharedArrayBuffer && this.length === this.data.length) return this.data;
    const shared = this.create(new SharedArrayBuffer(this.length * this.data.BYTES_PER_ELEMENT));
    shared.set(this.values());
    this.data = shared;
    return shared;
  }

  /** Takes values as they are. */
  adopt(values: Data): void {
    this.data = values;
    this.length = values.length;
  }

  /** The filled part, without copying. */
  values(): Data {
    return this.data.subarray(0, this.length) as Data;
  }
}

export class Float64Column extends Column<Float64Array> {
  /** @param data entries to begin with. */
  constructor(data?: Float64Array) {
    super(data ?? new Float64Array(FIRST_CAPACITY), (from) => new Float64Array(from as number));
    this.length = data?.length ?? 0;
  }
}

export class Uint32Column extends Column<Uint32Array> {
  /** @param data entries to begin with. */
  constructor(data?: Uint32Array) {
    super(data ?? new Uint32Array(FIRST_CAPACITY), (from) => new Uint32Array(from as number));
    this.length = data?.length ?? 0;
  }
}

export class ByteColumn extends Column<Uint8Array> {
  /** @param data entries to begin with. */
  constructor(data?: Uint8Array) {
    super(data ?? new Uint8Array(FIRST_CAPACITY), (from) => new Uint8Array(from as number));
    this.length = data?.length ?? 0;
  }
}
