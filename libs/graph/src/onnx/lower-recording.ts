/** A recording as an ONNX model. */
import { RuntimeError } from '@pyramidal/kernels/engine';
import type { FrozenGraph } from '../export/freeze';
import type { ConstantTensor, GraphNode, TensorType } from '../record/graph-def';
import { plainOrder } from './axis-order';
import { Lowering, onnxType, type Value } from './lowering';
import { OnnxGraph } from './onnx-graph';
import { ONNX_TYPES, type OnnxModel, type OnnxValueInfo } from './onnx-model';
import { ruleOf } from './operations';

export interface OnnxOptions {
  /**
   * An output, bool [D], that tells which rows of all others hold something, those being the first. The model gives only
   * these rows, as many as there are in a run, and not this output.
   */
  readonly rows?: string;
  /** What readers of the file should know, such as names of classes. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** @throws RuntimeError if the recording has operations that are not known in ONNX. */
export function lowerRecording(recording: FrozenGraph, { rows, metadata = {} }: OnnxOptions = {}): OnnxModel {
  refuseUnknown(recording.nodes);
  const to = lowered(recording);
  const inputs = Object.entries(recording.inputs).map(([name, type]) => valueInfo(name, type));
  const count = rows === undefined ? undefined : rowCount(to, outputOf(recording, rows));
  const results = Object.entries(recording.outputs).filter(([name]) => name !== rows);
  const outputs = results.map(([name, { ref, ...type }]): OnnxValueInfo => {
    const stored = to.plain(to.valueOf(ref));
    if (count === undefined) {
      to.graph.add('Identity', [stored], {}, [name]);
      return valueInfo(name, type);
    }
    to.graph.add('Slice', [stored, to.graph.integers([0]), count, to.graph.integers([0])], {}, [name]);
    return valueInfo(name, { ...type, shape: ['objects', ...type.shape.slice(1)] });
  });
  return { ...to.graph.neededFor(outputs.map(({ name }) => name)), inputs, outputs, metadata };
}

function refuseUnknown(nodes: readonly GraphNode[]): void {
  const isKnown = ({ op }: GraphNode): boolean => op === 'Const' || op === 'Placeholder' || ruleOf(op) !== undefined;
  const unknown = new Set(nodes.filter((node) => !isKnown(node)).map(({ op }) => op));
  if (unknown.size > 0) {
    throw new RuntimeError(
      `exportOnnxModel: expected operations that are known in ONNX, found ${[...unknown].join(', ')}`,
    );
  }
}

/** Every tensor of the recording in an ONNX graph. */
function lowered({ nodes, inputs, tensors }: FrozenGraph): Lowering {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const to = new Lowering(new OnnxGraph(), byName);
  for (const [name, { ref, shape, dtype }] of Object.entries(inputs)) {
    to.set(ref, { shape, dtype, stored: name, order: plainOrder(shape.length) });
  }
  for (const node of nodes) {
    const constant = constantOf(node);
    if (constant !== undefined) to.set(`${node.name}:0`, constant);
    const rule = ruleOf(node.op);
    if (rule === undefined) continue;
    const outputs = outputTypes(node, tensors);
    const values = rule(to, { node, inputs: node.inputs.map((ref) => to.valueOf(ref)), outputs });
    values.forEach((value, i) => to.set(`${node.name}:${i}`, value));
  }
  return to;
}

function constantOf({ attrs: { value } }: GraphNode): Value | undefined {
  if (value === undefined || !('tensor' in value)) return undefined;
  const { shape, dtype, values }: ConstantTensor = value.tensor;
  return { shape, dtype, stored: values, order: plainOrder(shape.length) };
}

function outputTypes({ name }: GraphNode, tensors: FrozenGraph['tensors']): TensorType[] {
  const types: TensorType[] = [];
  for (let type = tensors.get(`${name}:0`); type !== undefined; type = tensors.get(`${name}:${types.length}`)) {
    types.push(type);
  }
  return types;
}

function outputOf({ outputs }: FrozenGraph, name: string): string {
  const { ref } = outputs[name] ?? {};
  if (ref === undefined) throw new RuntimeError(`exportOnnxModel: expected an output '${name}', found none`);
  return ref;
}

/** How many rows hold something, int64 [1]. */
function rowCount(to: Lowering, ref: string): string {
  const { graph } = to;
  const [flags] = graph.add('Cast', [to.plain(to.valueOf(ref))], { to: { int: ONNX_TYPES.int64 } }) as [string];
  return graph.add('ReduceSum', [flags, graph.integers([0])], { keepdims: { int: 1 } })[0] as string;
}

function valueInfo(name: string, { dtype, shape }: { dtype: number; shape: OnnxValueInfo['shape'] }): OnnxValueInfo {
  return { name, type: onnxType(dtype), shape };
}
