/** Element types that weights are stored in: PyTorch's names, the safetensors tag, and the array that holds the raw bits. */
export const dtypes = {
  float64: { tag: 'F64', array: Float64Array },
  int64: { tag: 'I64', array: BigInt64Array },
  uint64: { tag: 'U64', array: BigUint64Array },
  float32: { tag: 'F32', array: Float32Array },
  int32: { tag: 'I32', array: Int32Array },
  uint32: { tag: 'U32', array: Uint32Array },
  float16: { tag: 'F16', array: Uint16Array },
  bfloat16: { tag: 'BF16', array: Uint16Array },
  int16: { tag: 'I16', array: Int16Array },
  uint16: { tag: 'U16', array: Uint16Array },
  int8: { tag: 'I8', array: Int8Array },
  uint8: { tag: 'U8', array: Uint8Array },
  bool: { tag: 'BOOL', array: Uint8Array },
} as const;

export type DType = keyof typeof dtypes;

/** Raw elements: float16 and bfloat16 are their bits, bool is 0 or 1. */
export type TensorData =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** A named array of a weights file, in PyTorch's layout, row-major. */
export interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The elements; tensors of an open file read them anew at every access. */
  readonly data: TensorData;
}

/** An open weights file: the tensors are read when their `data` is asked for, so keep it open until then. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
  close(): void;
}

export const elementBytes = (dtype: DType): number => dtypes[dtype].array.BYTES_PER_ELEMENT;

/** Number of elements; NaN where a size is not a whole number >= 0 or the product is not exact. */
export function elementCount(shape: readonly number[]): number {
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) return NaN;
  const count = shape.reduce((product, size) => product * size, 1);
  return Number.isSafeInteger(count) ? count : NaN;
}

export const byteLength = (tensor: Pick<StoredTensor, 'dtype' | 'shape'>): number =>
  elementCount(tensor.shape) * elementBytes(tensor.dtype);

/** `float32 [64, 3, 7, 7]` */
export const describe = (tensor: Pick<StoredTensor, 'dtype' | 'shape'>): string =>
  `${tensor.dtype} [${tensor.shape.join(', ')}]`;

type ByteOrder = 'LE' | 'BE';

const hostOrder: ByteOrder = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 'LE' : 'BE';

/** Views the bytes of a file as elements; a copy where the file's byte order or the alignment does not fit. */
export function viewElements(bytes: Uint8Array, dtype: DType, fileOrder: ByteOrder = 'LE'): TensorData {
  const width = elementBytes(dtype);
  const own = fileOrder !== hostOrder && width > 1 ? swapped(bytes, width) : aligned(bytes, width);
  return new dtypes[dtype].array(own.buffer as ArrayBuffer, own.byteOffset, own.byteLength / width);
}

/** The elements as little-endian bytes; shares memory with `data` where the host allows it. */
export function littleEndianBytes(data: TensorData): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return hostOrder === 'LE' || data.BYTES_PER_ELEMENT === 1 ? bytes : swapped(bytes, data.BYTES_PER_ELEMENT);
}

/** Whether two tensors hold the same bits. */
export function isSameData(a: TensorData, b: TensorData): boolean {
  const [left, right] = [littleEndianBytes(a), littleEndianBytes(b)];
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

const aligned = (bytes: Uint8Array, width: number): Uint8Array =>
  bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);

function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  for (let start = 0; start < copy.length; start += width) copy.subarray(start, start + width).reverse();
  return copy;
}
