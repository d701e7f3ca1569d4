/** What PyTorch puts into its pickles: tensors as calls of `torch._utils`, storages as persistent ids. */
import { dtypes, elementBytes, type DType } from './dtype';
import { FormatError, quote } from './errors';
import { PickleGlobal, typeName, type PickleConstructor } from './pickle-values';
import { TorchTensor, type TorchStorage } from './torch-tensor';

/** A stretch of a storage with an element type, as the persistent id of the pickle gives it. */
export class StorageRef {
  constructor(
    readonly storage: TorchStorage,
    readonly dtype: DType,
    /** Elements before this stretch; not 0 only in views of files from before PyTorch 0.4. */
    readonly begin: number,
  ) {}
}

const storageDtypes: Readonly<Record<string, DType>> = {
  'torch.DoubleStorage': 'float64',
  'torch.FloatStorage': 'float32',
  'torch.HalfStorage': 'float16',
  'torch.BFloat16Storage': 'bfloat16',
  'torch.LongStorage': 'int64',
  'torch.IntStorage': 'int32',
  'torch.ShortStorage': 'int16',
  'torch.CharStorage': 'int8',
  'torch.ByteStorage': 'uint8',
  'torch.BoolStorage': 'bool',
  'torch.storage.UntypedStorage': 'uint8',
};

/** The dtype objects that `_rebuild_tensor_v3` names. */
const tensorDtypes: ReadonlyMap<string, DType> = new Map(
  Object.keys(dtypes).map((dtype) => [`torch.${dtype}`, dtype as DType]),
);

/** The parts of a storage's persistent id. */
export interface StorageId {
  readonly key: string;
  readonly dtype: DType;
  readonly bytes: number;
  readonly begin: number;
}

/** Reads ('storage', type, key, location, elements[, (view key, offset, elements)]). */
export function parseStorageId(id: unknown): StorageId {
  const [kind, type, key, , count, view] = Array.isArray(id) ? (id as unknown[]) : [];
  if (kind !== 'storage' || typeof key !== 'string' || !(type instanceof PickleGlobal)) {
    throw new FormatError(`the pickle refers to ${typeName(kind)} data, expected a tensor storage`);
  }
  const dtype = storageDtypes[type.path];
  if (!dtype) {
    const known = Object.keys(storageDtypes).join(', ');
    throw new FormatError(`its storage ${quote(key)} is of type ${quote(type.path)}, expected one of ${known}`);
  }
  const begin = Array.isArray(view) ? (view as unknown[])[1] : 0;
  if (!isCount(count) || !isCount(begin)) throw new FormatError(`its storage ${quote(key)} has no sensible size`);
  return { key, dtype, bytes: count * elementBytes(dtype), begin };
}

type Args = readonly unknown[];

/** Calls of PyTorch that mean a tensor or a plain value. */
export const torchConstructors: ReadonlyMap<string, PickleConstructor> = new Map<string, PickleConstructor>([
  ['torch._utils._rebuild_tensor', ([ref, offset, shape, stride]) => rebuild(ref, offset, shape, stride)],
  ['torch._utils._rebuild_tensor_v2', ([ref, offset, shape, stride]) => rebuild(ref, offset, shape, stride)],
  [
    'torch._utils._rebuild_tensor_v3',
    ([ref, offset, shape, stride, , , dtype]) => rebuild(ref, offset, shape, stride, dtypeNamed(dtype)),
  ],
  ['torch._utils._rebuild_parameter', ([tensor]) => asParameter(tensor)],
  ['torch._utils._rebuild_parameter_with_state', ([tensor]) => asParameter(tensor)],
  ['torch._tensor._rebuild_from_type_v2', ([build, , args]) => rebuildSubclass(build, args)],
  ['torch.nn.parameter.Parameter', ([tensor]) => asParameter(tensor)],
  ['torch.Size', ([sizes = []]) => [...(sizes as number[])]],
]);

function rebuild(ref: unknown, offset: unknown, shape: unknown, stride: unknown, dtype?: DType): TorchTensor {
  if (!(ref instanceof StorageRef) || !Array.isArray(shape) || !Array.isArray(stride) || !isCount(offset)) {
    throw new FormatError('the pickle builds a tensor without storage, offset, shape and strides');
  }
  return new TorchTensor(ref.storage, dtype ?? ref.dtype, ref.begin + offset, shape as number[], stride as number[]);
}

function dtypeNamed(type: unknown): DType {
  const dtype = type instanceof PickleGlobal ? tensorDtypes.get(type.path) : undefined;
  if (!dtype) throw new FormatError(`the pickle has a tensor of ${quote(typeName(type))}, which is not supported`);
  return dtype;
}

function asParameter(tensor: unknown): TorchTensor {
  if (!(tensor instanceof TorchTensor)) throw new FormatError(`the pickle has ${typeName(tensor)} as a parameter`);
  return new TorchTensor(tensor.storage, tensor.dtype, tensor.offset, tensor.shape, tensor.stride, true);
}

/** Subclasses of Tensor are the plain tensor that they wrap. */
function rebuildSubclass(build: unknown, args: unknown): unknown {
  const inner = build instanceof PickleGlobal ? torchConstructors.get(build.path) : undefined;
  if (!inner || !Array.isArray(args)) throw new FormatError(`the pickle builds a tensor by ${typeName(build)}`);
  return inner(args as Args);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
