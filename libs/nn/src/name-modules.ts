/** Names of modules on what they compute, by which a profile of a compiled step tells the time of each. */
import * as tf from '@tensorflow/tfjs-core';
import { inScope } from '@pyramidal/kernels';
import type { Module } from './module';

/**
 * From now on the operations that a module's `forward` records are named `forward/PATH`, and those of its gradient
 * `backward/PATH`, with the path that `Module.modules()` gives; of modules within each other the innermost counts.
 * @returns what ends it.
 */
export function nameModules(root: Module): () => void {
  const ends = [...root.modules()].map(([path, module]) => nameCalls(module, path));
  return () => ends.forEach((end) => end());
}

type Runnable = Module & { forward?: (...inputs: unknown[]) => unknown };

function nameCalls(module: Runnable, path: string): () => void {
  const { forward } = module;
  if (forward === undefined) return () => undefined;
  // Shadows the method of the prototype.
  module.forward = (...inputs) => {
    const before = tape().length;
    const output = inScope(`forward/${path}`, () => forward.apply(module, inputs));
    for (const node of tape().slice(before)) nameGradient(node, `backward/${path}`);
    return output;
  };
  return () => delete module.forward;
}

type TapeNode = NonNullable<ReturnType<typeof tf.engine>['state']['activeTape']>[number];

/** What has run of the function whose gradient is being taken. */
const tape = (): readonly TapeNode[] => tf.engine().state.activeTape ?? [];

function nameGradient(node: TapeNode, scope: string): void {
  const { gradient } = node;
  if (gradient === undefined) return;
  node.gradient = (dys) => {
    const ofInputs = Object.entries(inScope(scope, () => gradient(dys)));
    return Object.fromEntries(ofInputs.map(([name, compute]) => [name, () => inScope(scope, compute)]));
  };
}
