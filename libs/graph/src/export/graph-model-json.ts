/** TensorFlow.js's `model.json` of a graph model. */
import {
  DT_BOOL,
  DT_FLOAT,
  DT_INT32,
  GRAPH_PRODUCER,
  type AttrValue,
  type ConstantTensor,
  type GraphNode,
  type TensorSignature,
} from '../record/graph-def';
import type { FrozenGraph } from './freeze';

/** Files whose bytes, one after the other, are the values of the weights. */
export interface WeightsGroup {
  readonly paths: readonly string[];
  readonly weights: readonly (ConstantTensor & { readonly name: string })[];
}

const WEIGHT_TYPES: Readonly<Record<number, string>> = {
  [DT_FLOAT]: 'float32',
  [DT_INT32]: 'int32',
  [DT_BOOL]: 'bool',
};
const TYPE_NAMES: Readonly<Record<number, string>> = {
  [DT_FLOAT]: 'DT_FLOAT',
  [DT_INT32]: 'DT_INT32',
  [DT_BOOL]: 'DT_BOOL',
};

/** JSON as protobuf writes it: integers of 64 bits are text, bytes are base64, enumerations have names. */
export type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

/**
 * The contents of `model.json`. Its loader knows an output by its node, of which several outputs may have the same; so
 * each gets one of its own.
 * @param metadata what the loader gives as `model.metadata`.
 */
export function graphModelJson(
  { nodes, inputs, outputs }: FrozenGraph,
  manifest: readonly WeightsGroup[],
  metadata: Json = {},
): Json {
  const results = Object.entries(outputs).map(([path, { ref, dtype, shape }], i) => {
    const node: GraphNode = { name: `output/${i}`, op: 'Identity', inputs: [ref], attrs: { T: { type: dtype } } };
    return { path, node, signature: { ref: `${node.name}:0`, dtype, shape } };
  });
  return {
    format: 'graph-model',
    generatedBy: 'pyramidal',
    userDefinedMetadata: metadata,
    signature: {
      inputs: mapValues(inputs, tensorInfo),
      outputs: Object.fromEntries(results.map(({ path, signature }) => [path, tensorInfo(signature)])),
    },
    modelTopology: {
      node: [...nodes, ...results.map(({ node }) => node)].map(nodeDef),
      library: {},
      versions: { producer: GRAPH_PRODUCER },
    },
    weightsManifest: manifest.map(({ paths, weights }) => ({
      paths,
      weights: weights.map(({ name, shape, dtype }) => ({ name, shape, dtype: WEIGHT_TYPES[dtype] as string })),
    })),
  };
}

function nodeDef({ name, op, inputs, attrs }: GraphNode): Json {
  return { name, op, input: inputs, attr: mapValues(attrs, attrValue) };
}

/** The values of a tensor are in the weights' files. */
function attrValue(value: AttrValue): Json {
  if ('type' in value) return { type: typeName(value.type) };
  if ('int' in value) return { i: String(value.int) };
  if ('ints' in value) return { list: { i: value.ints.map(String) } };
  if ('float' in value) return { f: value.float };
  if ('floats' in value) return { list: { f: value.floats } };
  if ('bool' in value) return { b: value.bool };
  if ('string' in value) return { s: base64(value.string) };
  if ('strings' in value) return { list: { s: value.strings.map(base64) } };
  if ('shape' in value) return { shape: shapeProto(value.shape) };
  if ('shapes' in value) return { list: { shape: value.shapes.map(shapeProto) } };
  return { tensor: { dtype: typeName(value.tensor.dtype), tensorShape: shapeProto(value.tensor.shape) } };
}

function tensorInfo({ ref, dtype, shape }: TensorSignature): Json {
  return { name: ref, dtype: typeName(dtype), tensorShape: shapeProto(shape) };
}

function shapeProto(shape: readonly number[]): Json {
  return { dim: shape.map((size) => ({ size: String(size) })) };
}

/** Numbers stand for types as well as names do. */
function typeName(dtype: number): Json {
  return TYPE_NAMES[dtype] ?? dtype;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function mapValues<T>(values: Readonly<Record<string, T>>, to: (value: T) => Json): Json {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, to(value)]));
}
