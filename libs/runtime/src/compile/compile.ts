import * as tf from '@tensorflow/tfjs-core';
import { backendInternals, type BackendInternals } from './backend-internals';
import { explainGraph, type GraphSummary } from './explain';
import { record } from './record';
import { Session } from './session';
import { flatten, inTidy, mapTree, unflatten, type TensorTree } from './tensor-tree';

/** Named inputs of a step: tensors, lists of tensors, and numbers such as the learning rate. */
export type StepInputs = { readonly [name: string]: tf.Tensor | readonly tf.Tensor[] | number };

/** The same as the step's function receives them: numbers have become float32 scalars. */
export type StepTensors<I extends StepInputs> = {
  readonly [K in keyof I]: I[K] extends number ? tf.Scalar : I[K];
};

export interface CompileOptions {
  /** Names the step in errors and summaries. */
  readonly name: string;
  /** Matrix products in bfloat16 with float32 sums, where the engine has them; float32 unless given. */
  readonly precision?: 'float32' | 'bf16';
  /** How many graphs, one for each signature of the inputs, are kept; 8 unless given. */
  readonly maxGraphs?: number;
}

interface Graph {
  readonly session: Session;
  readonly summary: GraphSummary;
}

/**
 * A function of tensors that runs as one TensorFlow graph on the native engine and as it is on the others.
 *
 * Its first call with new shapes records it; later calls replay the graph. So everything that varies between calls
 * must be an input or a tf.Variable: a number or tensor that the function finds elsewhere becomes a constant. The
 * function has fixed shapes, reads no values, and takes its randomness from a seed among the inputs. Variables that it
 * assigns live in the graph from then on; reading, assigning or saving them outside works as always.
 */
export class CompiledStep<I extends StepInputs, O extends TensorTree> {
  private readonly graphs = new Map<string, Graph>();

  constructor(
    private readonly fn: (inputs: StepTensors<I>) => O,
    private readonly options: CompileOptions,
  ) {}

  /**
   * Runs the step.
   * @returns its outputs; the caller disposes them.
   * @throws RecordingError naming the place if the function does what a graph cannot repeat.
   */
  run(inputs: I): O {
    const backend = backendInternals();
    return inTidy(() => {
      const tensors = toTensors(inputs);
      if (backend === null) return this.fn(tensors as StepTensors<I>);
      return unflatten(this.graphFor(backend, tensors).session.run(flatten(tensors))) as O;
    });
  }

  /** What was recorded: nodes, constants, times, operations; one entry per signature of inputs in use. */
  explain(): GraphSummary[] {
    return [...this.graphs.values()].map(({ summary }) => summary);
  }

  /** Frees the graphs; variables keep their values. */
  dispose(): void {
    for (const { session } of this.graphs.values()) session.dispose();
    this.graphs.clear();
  }

  private graphFor(backend: BackendInternals, inputs: TensorTree): Graph {
    const signature = signatureOf(inputs);
    const graph = this.graphs.get(signature) ?? this.load(backend, inputs, signature);
    this.graphs.delete(signature);
    this.graphs.set(signature, graph);
    return graph;
  }

  private load(backend: BackendInternals, inputs: TensorTree, signature: string): Graph {
    const { name, precision = 'float32', maxGraphs = 8 } = this.options;
    const recording = record(backend, this.fn as (inputs: TensorTree) => O, inputs, { name, precision });
    const start = performance.now();
    const session = new Session(backend, recording);
    const summary = explainGraph(name, signature, recording, performance.now() - start);
    for (const [oldest, { session: old }] of this.graphs) {
      if (this.graphs.size < maxGraphs) break;
      old.dispose();
      this.graphs.delete(oldest);
    }
    return { session, summary };
  }
}

/** Makes a step of `fn`; see `CompiledStep` for what `fn` may do. */
export function compile<I extends StepInputs, O extends TensorTree>(
  fn: (inputs: StepTensors<I>) => O,
  options: CompileOptions,
): CompiledStep<I, O> {
  return new CompiledStep(fn, options);
}

function toTensors(inputs: StepInputs): TensorTree {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, item]) => [name, typeof item === 'number' ? tf.scalar(item) : item]),
  );
}

function signatureOf(inputs: TensorTree): string {
  const described = mapTree(inputs, ({ dtype, shape }) => `${dtype}[${shape.join()}]`);
  return Object.entries(described)
    .map(([name, item]) => `${name}: ${String(item)}`)
    .join('; ');
}
