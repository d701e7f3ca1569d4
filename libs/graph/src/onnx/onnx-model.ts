/** ONNX's messages (onnx.proto of ONNX 1.15), written as protocol buffers. */
import { bytesField, floatField, integerField, messageField } from '../record/protobuf';

/** The oldest version whose operations say all that is needed: `Gelu` came with it. ONNX Runtime has it since 1.17. */
export const OPSET = 20;
const IR_VERSION = 9;

/** Numbers of `TensorProto.DataType`. */
export const ONNX_TYPES = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;
export type OnnxType = keyof typeof ONNX_TYPES;

/** `message TensorProto`. */
export interface OnnxTensor {
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array | BigInt64Array | Uint8Array;
}

/** A value of `message AttributeProto`, by its kind. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly tensor: OnnxTensor };

/** `message NodeProto`; an input that is left out is ''. */
export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attrs: Readonly<Record<string, OnnxAttribute>>;
}

/** `message ValueInfoProto`; an axis with a name has a length of its own in every run. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly (number | string)[];
}

/** `message ModelProto` with its `GraphProto`. */
export interface OnnxModel {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The bytes of a `.onnx` file. */
export function encodeOnnxModel({ nodes, initializers, inputs, outputs, metadata }: OnnxModel): Buffer {
  const graph = [
    ...nodes.map((node) => messageField(1, encodeNode(node))),
    bytesField(2, 'pyramidal'),
    ...Array.from(initializers, ([name, tensor]) => messageField(5, encodeTensor(tensor, name))),
    ...inputs.map((info) => messageField(11, encodeValueInfo(info))),
    ...outputs.map((info) => messageField(12, encodeValueInfo(info))),
  ];
  return Buffer.concat([
    integerField(1, IR_VERSION),
    bytesField(2, 'pyramidal'),
    messageField(7, graph),
    messageField(8, [bytesField(1, ''), integerField(2, OPSET)]),
    ...Object.entries(metadata).map(([key, value]) => messageField(14, [bytesField(1, key), bytesField(2, value)])),
  ]);
}

function encodeNode({ name, op, inputs, outputs, attrs }: OnnxNode): Buffer[] {
  return [
    ...inputs.map((input) => bytesField(1, input)),
    ...outputs.map((output) => bytesField(2, output)),
    bytesField(3, name),
    bytesField(4, op),
    ...Object.entries(attrs).map(([key, value]) => messageField(5, [bytesField(1, key), ...encodeAttribute(value)])),
  ];
}

function encodeAttribute(value: OnnxAttribute): Buffer[] {
  if ('int' in value) return [integerField(3, value.int), integerField(20, 2)];
  if ('ints' in value) return [...value.ints.map((item) => integerField(8, item)), integerField(20, 7)];
  if ('float' in value) return [floatField(2, value.float), integerField(20, 1)];
  if ('string' in value) return [bytesField(4, value.string), integerField(20, 3)];
  return [messageField(5, encodeTensor(value.tensor)), integerField(20, 4)];
}

function encodeTensor({ type, shape, values }: OnnxTensor, name = ''): Buffer[] {
  const content = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return [
    ...shape.map((size) => integerField(1, size)),
    integerField(2, ONNX_TYPES[type]),
    bytesField(8, name),
    bytesField(9, content),
  ];
}

function encodeValueInfo({ name, type, shape }: OnnxValueInfo): Buffer[] {
  const axes = shape.map((size) =>
    messageField(1, [typeof size === 'string' ? bytesField(2, size) : integerField(1, size)]),
  );
  const tensorType = messageField(1, [integerField(1, ONNX_TYPES[type]), messageField(2, axes)]);
  return [bytesField(1, name), messageField(2, [tensorType])];
}
