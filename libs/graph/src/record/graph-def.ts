/** TensorFlow's graph messages, written as protocol buffers. */
import { bytesField, floatField, integerField, mapField, messageField } from './protobuf';

/** Numbers of TensorFlow's `enum DataType`. */
export const DT_FLOAT = 1;
export const DT_INT32 = 3;
export const DT_UINT8 = 4;
export const DT_BOOL = 10;
export const DT_BFLOAT16 = 14;
export const DT_HALF = 19;
export const DT_RESOURCE = 20;

/** What is known of a tensor without its values. */
export interface TensorType {
  readonly dtype: number;
  readonly shape: readonly number[];
}

export interface ConstantTensor extends TensorType {
  readonly values: Float32Array | Int32Array | Uint8Array;
}

/** A value of `message AttrValue`, by the field that holds it. */
export type AttrValue =
  | { readonly type: number }
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly bool: boolean }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly shape: readonly number[] }
  | { readonly shapes: readonly (readonly number[])[] }
  | { readonly tensor: ConstantTensor };

/** `message NodeDef`: inputs are `node:output`, or `^node` for a control dependency. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attrs: Readonly<Record<string, AttrValue>>;
}

/** The node of `node:output` or `^node`. */
export const nodeNameOf = (ref: string): string => (ref.split(':')[0] as string).replace('^', '');

/** What a signature tells about one input or output. */
export interface TensorSignature extends TensorType {
  /** `node:output`. */
  readonly ref: string;
}

export interface Signature {
  readonly inputs: Readonly<Record<string, TensorSignature>>;
  readonly outputs: Readonly<Record<string, TensorSignature>>;
}

/** The graph version of TensorFlow 2.9, the oldest library that is supported. */
export const GRAPH_PRODUCER = 1087;

/** `message GraphDef`. */
export function encodeGraph(nodes: readonly GraphNode[]): Buffer {
  const attrs = new AttrEncoder();
  return Buffer.concat([
    ...nodes.map((node) => messageField(1, encodeNode(node, attrs))),
    messageField(4, [integerField(1, GRAPH_PRODUCER)]),
  ]);
}

/** `message SavedModel` with one graph tagged `serve` and the signature `serving_default`. */
export function encodeSavedModel(nodes: readonly GraphNode[], signature: Signature): Buffer {
  const metaInfo = [bytesField(4, 'serve'), bytesField(5, '2.9.0')];
  const metaGraph = [
    messageField(1, metaInfo),
    bytesField(2, encodeGraph(nodes)),
    mapField(5, 'serving_default', encodeSignature(signature)),
  ];
  return Buffer.concat([integerField(1, 1), messageField(2, metaGraph)]);
}

function encodeNode({ name, op, inputs, attrs }: GraphNode, encoder: AttrEncoder): Buffer[] {
  return [
    bytesField(1, name),
    bytesField(2, op),
    ...inputs.map((input) => bytesField(3, input)),
    ...Object.entries(attrs).map(([key, value]) => encoder.encode(key, value)),
  ];
}

/** Nodes have few attributes that others do not have: each of these is encoded once. */
class AttrEncoder {
  private readonly known = new Map<string, Buffer>();

  encode(key: string, value: AttrValue): Buffer {
    if ('tensor' in value) return mapField(5, key, encodeAttr(value));
    const text = `${key} ${JSON.stringify(value)}`;
    const known = this.known.get(text) ?? mapField(5, key, encodeAttr(value));
    this.known.set(text, known);
    return known;
  }
}

function encodeAttr(value: AttrValue): Buffer {
  if ('type' in value) return integerField(6, value.type);
  if ('int' in value) return integerField(3, value.int);
  if ('ints' in value)
    return messageField(
      1,
      value.ints.map((item) => integerField(3, item)),
    );
  if ('float' in value) return floatField(4, value.float);
  if ('floats' in value)
    return messageField(
      1,
      value.floats.map((item) => floatField(4, item)),
    );
  if ('bool' in value) return integerField(5, value.bool);
  if ('string' in value) return bytesField(2, value.string);
  if ('strings' in value)
    return messageField(
      1,
      value.strings.map((item) => bytesField(2, item)),
    );
  if ('shape' in value) return messageField(7, encodeShape(value.shape));
  if ('shapes' in value)
    return messageField(
      1,
      value.shapes.map((item) => messageField(7, encodeShape(item))),
    );
  return messageField(8, encodeTensor(value.tensor));
}

function encodeTensor({ dtype, shape, values }: ConstantTensor): Buffer[] {
  const content = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return [integerField(1, dtype), messageField(2, encodeShape(shape)), bytesField(4, content)];
}

function encodeShape(shape: readonly number[]): Buffer[] {
  return shape.map((size) => messageField(2, [integerField(1, size)]));
}

function encodeSignature({ inputs, outputs }: Signature): Buffer {
  const encode = ({ ref, dtype, shape }: TensorSignature): Buffer =>
    Buffer.concat([bytesField(1, ref), integerField(2, dtype), messageField(3, encodeShape(shape))]);
  return Buffer.concat([
    ...Object.entries(inputs).map(([name, tensor]) => mapField(1, name, encode(tensor))),
    ...Object.entries(outputs).map(([name, tensor]) => mapField(2, name, encode(tensor))),
    bytesField(3, 'tensorflow/serving/predict'),
  ]);
}
