/** Growing typed arrays: the storage of everything that comes by the hundred thousand. */

const FIRST_CAPACITY = 64;

export class Float64Column {
  data: Float64Array;
  length = 0;

  constructor(data?: Float64Array) {
    this.data = data ?? new Float64Array(FIRST_CAPACITY);
    if (data) this.length = data.length;
  }

  push(value: number): void {
    if (this.length === this.data.length) this.reserve(1);
    this.data[this.length++] = value;
  }

  reserve(extra: number): void {
    const needed = this.length + extra;
    if (needed <= this.data.length) return;
    const grown = new Float64Array(Math.max(needed, 2 * this.data.length));
    grown.set(this.data.subarray(0, this.length));
    this.data = grown;
  }

  append(values: Float64Array): void {
    this.reserve(values.length);
    this.data.set(values, this.length);
    this.length += values.length;
  }

  get(index: number): number {
    return this.data[index] as number;
  }

  /** The filled part, without copying. */
  values(): Float64Array {
    return this.data.subarray(0, this.length);
  }
}

export class Uint32Column {
  data: Uint32Array;
  length = 0;

  constructor(data?: Uint32Array) {
    this.data = data ?? new Uint32Array(FIRST_CAPACITY);
    if (data) this.length = data.length;
  }

  push(value: number): void {
    if (this.length === this.data.length) this.reserve(1);
    this.data[this.length++] = value;
  }

  reserve(extra: number): void {
    const needed = this.length + extra;
    if (needed <= this.data.length) return;
    const grown = new Uint32Array(Math.max(needed, 2 * this.data.length));
    grown.set(this.data.subarray(0, this.length));
    this.data = grown;
  }

  append(values: Uint32Array): void {
    this.reserve(values.length);
    this.data.set(values, this.length);
    this.length += values.length;
  }

  get(index: number): number {
    return this.data[index] as number;
  }

  /** The filled part, without copying. */
  values(): Uint32Array {
    return this.data.subarray(0, this.length);
  }
}
