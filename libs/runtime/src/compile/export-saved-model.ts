import * as tf from '@tensorflow/tfjs-core';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RuntimeError } from '../runtime-error';
import { backendInternals, infoOf, type BackendInternals } from './backend-internals';
import { encodeSavedModel, type ConstantTensor, type GraphNode } from './graph-def';
import { record, type RecordedVariable } from './record';
import type { TensorTree } from './tensor-tree';

/**
 * Writes a function as a standard SavedModel, its weights inside, for TensorFlow Serving or Python:
 * `tf.saved_model.load(folder).signatures['serving_default'](images=...)`.
 * @param fn an inference function of named tensors, under the rules of `compile`.
 * @param inputs tensors of the shapes and types that the model will take; their names become the signature's.
 * @throws RuntimeError if another engine than TensorFlow is open, or if `fn` changes a variable.
 */
export function exportSavedModel<I extends TensorTree>(fn: (inputs: I) => TensorTree, inputs: I, folder: string): void {
  const backend = backendInternals();
  if (backend === null) {
    throw new RuntimeError(`exportSavedModel: expected the engine tensorflow, found ${tf.getBackend()}`);
  }
  const recording = record(backend, fn, inputs, { name: fn.name || 'model', precision: 'float32' });
  const changed = recording.variables.find(({ assigned }) => assigned);
  if (changed !== undefined) {
    throw new RuntimeError(
      `exportSavedModel: expected a function that changes no variables, it changes '${changed.name}'`,
    );
  }
  const weights = new Map(recording.variables.map((variable) => [`${variable.node}/read`, variable]));
  const nodes = recording.nodes
    .filter(({ op }) => op !== 'VarHandleOp')
    .map((node) => {
      const variable = weights.get(node.name);
      return variable === undefined ? node : weightNode(backend, node.name, variable);
    });
  mkdirSync(folder, { recursive: true });
  const { inputs: feeds, outputs } = recording;
  writeFileSync(join(folder, 'saved_model.pb'), encodeSavedModel(nodes, { inputs: feeds, outputs }));
}

/** A variable's value as it is now. */
function weightNode(backend: BackendInternals, name: string, variable: RecordedVariable): GraphNode {
  const { shape, dtype } = variable;
  const current = tf.engine().registeredVariables[variable.name] as tf.Variable;
  const info = infoOf(backend, current);
  const values = (info.values ?? backend.binding.tensorDataSync(info.id)) as ConstantTensor['values'];
  return {
    name,
    op: 'Const',
    inputs: [],
    attrs: { dtype: { type: dtype }, value: { tensor: { dtype, shape, values } } },
  };
}
