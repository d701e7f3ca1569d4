/** A function as a graph with its weights inside, for export. */
import * as tf from '@tensorflow/tfjs-core';
import { engineBackend, type EngineBackend, RuntimeError } from '@pyramidal/kernels/engine';
import type { ConstantTensor, GraphNode, Signature, TensorType } from '../record/graph-def';
import { record, type RecordedVariable } from '../record/record';
import type { TensorTree } from '../record/tensor-tree';

/** A function as a graph whose weights are constants, which is how others take it. */
export interface FrozenGraph extends Signature {
  /** Inputs and what the outputs need, in an order to run them. */
  readonly nodes: readonly GraphNode[];
  /** Shapes and types of what the nodes give, by `node:output`. */
  readonly tensors: ReadonlyMap<string, TensorType>;
}

export interface FreezeOptions {
  /** Names the export in errors. */
  readonly caller: string;
  /** For other engines than TensorFlow. */
  readonly portable: boolean;
}

/** @throws RuntimeError if another engine than TensorFlow is open, or if `fn` changes a variable. */
export function freeze<I extends TensorTree>(
  fn: (inputs: I) => TensorTree,
  inputs: I,
  { caller, portable }: FreezeOptions,
): FrozenGraph {
  const backend = engineBackend();
  if (backend === null) {
    throw new RuntimeError(`${caller}: expected the engine tensorflow, found ${tf.getBackend()}`);
  }
  const recording = record(backend, fn, inputs, {
    name: fn.name || 'model',
    precision: 'float32',
    exported: true,
    portable,
  });
  const changed = recording.variables.find(({ assigned }) => assigned);
  if (changed !== undefined) {
    throw new RuntimeError(`${caller}: expected a function that changes no variables, it changes '${changed.name}'`);
  }
  const weights = new Map(recording.variables.map((variable) => [`${variable.node}/read`, variable]));
  const nodes = neededNodes(recording).map((node) => {
    const variable = weights.get(node.name);
    return variable === undefined ? node : weightNode(backend, node.name, variable);
  });
  return {
    nodes: nodes.filter(({ op }) => op !== 'VarHandleOp'),
    inputs: recording.inputs,
    outputs: recording.outputs,
    tensors: recording.tensors,
  };
}

function neededNodes({ nodes, inputs, outputs }: Omit<FrozenGraph, 'tensors'>): GraphNode[] {
  const nameOf = (ref: string): string => ref.split(':')[0] as string;
  const needed = new Set([inputs, outputs].flatMap(Object.values<{ ref: string }>).map(({ ref }) => nameOf(ref)));
  const backwards = nodes.toReversed().filter((node) => {
    const isNeeded = needed.has(node.name);
    if (isNeeded) for (const ref of node.inputs) needed.add(nameOf(ref));
    return isNeeded;
  });
  return backwards.reverse();
}

/** A variable's value as it is now. */
function weightNode(backend: EngineBackend, name: string, variable: RecordedVariable): GraphNode {
  const { shape, dtype } = variable;
  const current = tf.engine().registeredVariables[variable.name] as tf.Variable;
  const values = backend.readSync(current.dataId) as ConstantTensor['values'];
  return {
    name,
    op: 'Const',
    inputs: [],
    attrs: { dtype: { type: dtype }, value: { tensor: { dtype, shape, values } } },
  };
}
