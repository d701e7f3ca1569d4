import * as tf from '@tensorflow/tfjs-core';
import { backendInternals, type BackendInternals } from './backend-internals';
import { explainGraph, type GraphSummary } from './explain';
import { record, type RecordOptions } from './record';
import { Session } from './session';
import { flatten, inTidy, mapTree, unflatten, type TensorTree } from './tensor-tree';

/** Named inputs of a step: tensors, lists of tensors, and numbers such as the learning rate. */
export type StepInputs = { readonly [name: string]: tf.Tensor | readonly tf.Tensor[] | number };

/** The same as the step's function receives them: numbers have become float32 scalars. */
export type StepTensors<I extends StepInputs> = {
  readonly [K in keyof I]: I[K] extends number ? tf.Scalar : I[K];
};

export interface CompileOptions {
  /** Names the step in errors and summaries; the function's own name unless given. */
  readonly name?: string;
  /** Matrix products in bfloat16 with float32 sums, where the engine has them; float32 unless given. */
  readonly precision?: 'float32' | 'bf16';
  /** How many graphs, one for each signature of the inputs, are kept; 8 unless given. */
  readonly maxGraphs?: number;
}

/** A function that runs as one graph. */
export interface CompiledFunction<I extends StepInputs, O extends TensorTree> {
  /**
   * Runs the step.
   * @returns its outputs; the caller disposes them.
   * @throws RecordingError naming the place if the function does what a graph cannot repeat.
   */
  (inputs: I): O;
  /** What was recorded: nodes, constants, times, operations; one entry per signature of inputs in use. */
  explain(): GraphSummary[];
  /** Frees the graphs; variables keep their values. */
  dispose(): void;
}

/**
 * Makes a function of tensors run as one TensorFlow graph on the native engine; on the others it runs as it is.
 *
 * The first call with new shapes records the function; later calls replay the graph. So everything that varies between
 * calls must be an input or a tf.Variable: a number or tensor that the function finds elsewhere becomes a constant.
 * The function has fixed shapes, reads no values, and takes its randomness from a seed among the inputs. Variables that
 * it assigns live in the graph from then on; reading, assigning or saving them outside works as always.
 */
export function compile<I extends StepInputs, O extends TensorTree>(
  fn: (inputs: StepTensors<I>) => O,
  options: CompileOptions = {},
): CompiledFunction<I, O> {
  const { name = fn.name || 'step', precision = 'float32', maxGraphs = 8 } = options;
  const graphs = new GraphCache(fn as (inputs: TensorTree) => O, { name, precision }, maxGraphs);
  const run = (inputs: I): O =>
    inTidy(() => {
      const backend = backendInternals();
      const tensors = toTensors(inputs);
      if (backend === null) return fn(tensors as StepTensors<I>);
      return unflatten(graphs.get(backend, tensors).run(flatten(tensors))) as O;
    });
  return Object.assign(run, { explain: () => graphs.summaries(), dispose: () => graphs.dispose() });
}

interface Graph {
  readonly session: Session;
  readonly summary: GraphSummary;
}

/** The graphs of one function by signature of its inputs; the one unused for longest gives way. */
class GraphCache {
  private readonly graphs = new Map<string, Graph>();

  constructor(
    private readonly fn: (inputs: TensorTree) => TensorTree,
    private readonly options: RecordOptions,
    private readonly capacity: number,
  ) {}

  get(backend: BackendInternals, inputs: TensorTree): Session {
    const signature = signatureOf(inputs);
    const graph = this.graphs.get(signature) ?? this.load(backend, inputs, signature);
    this.graphs.delete(signature);
    this.graphs.set(signature, graph);
    return graph.session;
  }

  summaries(): GraphSummary[] {
    return [...this.graphs.values()].map(({ summary }) => summary);
  }

  dispose(): void {
    for (const { session } of this.graphs.values()) session.dispose();
    this.graphs.clear();
  }

  private load(backend: BackendInternals, inputs: TensorTree, signature: string): Graph {
    const recording = record(backend, this.fn, inputs, this.options);
    const start = performance.now();
    const session = new Session(backend, recording);
    const summary = explainGraph(this.options.name, signature, recording, performance.now() - start);
    for (const [oldest, graph] of this.graphs) {
      if (this.graphs.size < this.capacity) break;
      graph.session.dispose();
      this.graphs.delete(oldest);
    }
    return { session, summary };
  }
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
