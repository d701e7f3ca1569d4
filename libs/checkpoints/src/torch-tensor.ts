/** A tensor in a PyTorch file: a view of a storage that is read on demand. */
import {
  byteLength,
  describe,
  dtypes,
  elementBytes,
  elementCount,
  viewElements,
  type DType,
  type StoredTensor,
  type TensorData,
} from './dtype';
import { FormatError } from './errors';

/** The memory that one or more tensors of a checkpoint look into. */
export interface TorchStorage {
  readonly key: string;
  readonly bytes: number;
  readonly byteOrder: 'LE' | 'BE';
  read(position: number, length: number): Buffer;
}

/** Axes of a PyTorch tensor are limited to this. */
const MAX_AXES = 64;

/** A view of a storage: element `[i, j]` lies at `offset + i * stride[0] + j * stride[1]`. */
export class TorchTensor implements StoredTensor {
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  /** Elements between the first that the view reaches and the last, both included. */
  private readonly span: number;

  /** @throws FormatError if the view reaches outside of the storage. */
  constructor(
    readonly storage: TorchStorage,
    readonly dtype: DType,
    readonly offset: number,
    shape: readonly number[],
    stride: readonly number[],
    readonly isParameter = false,
  ) {
    this.shape = [...shape];
    this.stride = [...stride];
    const count = elementCount(shape);
    const isView = [offset, ...stride].every((value) => Number.isSafeInteger(value) && value >= 0);
    if (Number.isNaN(count) || !isView || shape.length !== stride.length || shape.length > MAX_AXES) {
      throw new FormatError(`a tensor ${describe(this)} has the impossible strides [${stride.join(', ')}]`);
    }
    this.span = count === 0 ? 0 : shape.reduce((last, size, axis) => last + (size - 1) * stride[axis]!, 1);
    if (!((offset + this.span) * elementBytes(dtype) <= storage.bytes) && count > 0) {
      throw new FormatError(
        `a tensor ${describe(this)} reaches beyond its storage ${storage.key} of ${storage.bytes} bytes`,
      );
    }
  }

  /** Read from the file at every access, row-major. */
  get data(): TensorData {
    const width = elementBytes(this.dtype);
    const bytes = this.storage.read(this.offset * width, this.span * width);
    const span = viewElements(bytes, this.dtype, this.storage.byteOrder);
    return this.isContiguous ? span : this.gather(span);
  }

  get isContiguous(): boolean {
    let expected = 1;
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      if (this.shape[axis] !== 1 && this.stride[axis] !== expected) return elementCount(this.shape) === 0;
      expected *= this.shape[axis]!;
    }
    return true;
  }

  /** Whether both show the same elements of the same memory. */
  isSameView(other: TorchTensor): boolean {
    return this.storage === other.storage && this.offset === other.offset && `${this.stride}` === `${other.stride}`;
  }

  private gather(span: TensorData): TensorData {
    const result = new dtypes[this.dtype].array(byteLength(this) / elementBytes(this.dtype));
    // Axes of size 1 would only deepen the recursion.
    const axes = this.shape.map((size, axis) => ({ size, step: this.stride[axis]! })).filter(({ size }) => size > 1);
    let written = 0;
    const copy = (axis: number, start: number): void => {
      const { size, step } = axes[axis] ?? { size: 1, step: 0 };
      if (axis >= axes.length - 1) for (let i = 0; i < size; i++) result[written++] = span[start + i * step]!;
      else for (let i = 0; i < size; i++) copy(axis + 1, start + i * step);
    };
    copy(0, 0);
    return result;
  }
}
