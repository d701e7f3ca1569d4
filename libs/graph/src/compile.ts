/** Compiled functions: recorded once for each signature of their inputs, then run as graphs. */
import * as tf from '@tensorflow/tfjs-core';
import { engineBackend, RuntimeError, type EngineBackend } from '@pyramidal/kernels/engine';
import type { GraphSummary, LoadedGraphSummary } from './explain';
import type { Precision } from './record/half-width';
import { record } from './record/record';
import { runnableGraph, type RunnableGraph } from './session/runnable-graph';
import { Session } from './session/session';
import type { SessionConfig } from './session/session-config';
import { flatten, inTidy, mapTree, unflatten, type TensorTree } from './record/tensor-tree';

/** Named inputs of a step: tensors, lists of tensors, and numbers such as the learning rate. */
export type StepInputs = { readonly [name: string]: tf.Tensor | readonly tf.Tensor[] | number };

/** The same as the step's function receives them: numbers have become float32 scalars. */
export type StepTensors<I extends StepInputs> = {
  readonly [K in keyof I]: I[K] extends number ? tf.Scalar : I[K];
};

export interface CompileOptions {
  /** Names the step in errors and summaries; the function's own name unless given. */
  readonly name?: string;
  /** The width of matrix products and convolutions; all else, their sums too, is float32. float32 unless given. */
  readonly precision?: Precision;
  /** How many graphs, one for each signature of the inputs, are kept; 8 unless given. */
  readonly maxGraphs?: number;
  /** Options of the sessions that the graphs run in; those of `joinCluster` for steps of several processes. */
  readonly session?: SessionConfig;
}

/** A function that runs as one graph. */
export interface CompiledFunction<I extends StepInputs, O extends TensorTree> {
  /**
   * Runs the step.
   * @returns its outputs; the caller disposes them.
   * @throws RecordingError naming the place if the function does what a graph cannot repeat; RuntimeError if the engine
   * has no other precision than float32, or no XLA.
   */
  (inputs: I): O;
  /** What was recorded: nodes, constants, times, operations; one entry per signature of inputs in use. */
  explain(): LoadedGraphSummary[];
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
  const { name = fn.name || 'step', precision = 'float32', maxGraphs = 8, session = {} } = options;
  const graphs = new GraphCache(fn as (inputs: TensorTree) => O, { name, precision, maxGraphs, session });
  const run = (inputs: I): O =>
    inTidy(() => {
      const backend = engineBackend();
      const tensors = toTensors(inputs);
      if (backend === null || !hasSessions(backend)) {
        requireNothingOfGraphs(name, precision, session);
        return fn(tensors as StepTensors<I>);
      }
      return unflatten(graphs.run(backend, tensors)) as O;
    });
  return Object.assign(run, { explain: () => graphs.summaries(), dispose: () => graphs.dispose() });
}

interface Graph {
  readonly session: Session;
  readonly summary: GraphSummary;
  readonly loadMs: number;
  firstRunMs: number | null;
}

type FlatTensors = [path: string, tensor: tf.Tensor][];

/** What graphs alone have is not left out in silence. */
function requireNothingOfGraphs(name: string, precision: Precision, { xla = false }: SessionConfig): void {
  const need = 'needs compiled steps on a TensorFlow engine';
  if (precision !== 'float32') {
    throw new RuntimeError(`${name}: precision ${precision} ${need}; on ${tf.getBackend()}, steps run here in float32`);
  }
  if (xla) throw new RuntimeError(`${name}: XLA ${need}; on ${tf.getBackend()}, steps run here operation by operation`);
}

let isWarned = false;

/** Whether graphs can run; where they cannot, that is said once. */
function hasSessions({ binding }: EngineBackend): boolean {
  if (binding.sessions !== undefined) return true;
  if (!isWarned) {
    process.emitWarning(
      'compiled steps run operation by operation, since the addon for graphs is not there; ' +
        '`pyramidal-runtime doctor` says why',
      { code: 'PYRAMIDAL_NO_SESSIONS' },
    );
  }
  isWarned = true;
  return false;
}

/** The graphs of one function by signature of its inputs; the one unused for longest gives way. */
class GraphCache {
  private readonly graphs = new Map<string, Graph>();

  constructor(
    private readonly fn: (inputs: TensorTree) => TensorTree,
    private readonly options: Required<CompileOptions>,
  ) {}

  run(backend: EngineBackend, inputs: TensorTree): FlatTensors {
    const graph = this.get(backend, inputs);
    const start = performance.now();
    const outputs = graph.session.run(flatten(inputs));
    graph.firstRunMs ??= performance.now() - start;
    return outputs;
  }

  summaries(): LoadedGraphSummary[] {
    return [...this.graphs.values()].map(({ summary, loadMs, firstRunMs }) => ({ ...summary, loadMs, firstRunMs }));
  }

  dispose(): void {
    for (const { session } of this.graphs.values()) session.dispose();
    this.graphs.clear();
  }

  private get(backend: EngineBackend, inputs: TensorTree): Graph {
    const signature = signatureOf(inputs);
    const graph = this.graphs.get(signature) ?? this.load(backend, inputs, signature);
    this.graphs.delete(signature);
    this.graphs.set(signature, graph);
    return graph;
  }

  private load(backend: EngineBackend, inputs: TensorTree, signature: string): Graph {
    const runnable = this.record(backend, inputs, signature);
    const start = performance.now();
    const session = new Session(backend, runnable, this.options.session);
    this.makeRoom();
    return { session, summary: runnable.summary, loadMs: performance.now() - start, firstRunMs: null };
  }

  private record(backend: EngineBackend, inputs: TensorTree, signature: string): RunnableGraph {
    const { session, ...options } = this.options;
    const recording = record(backend, this.fn, inputs, { ...options, cluster: session.cluster });
    const { target, cluster, xla = false } = session;
    const isOwn = target === undefined && cluster === undefined && !xla && !backend.binding.isUsingGpuDevice();
    return runnableGraph(options.name, signature, recording, isOwn);
  }

  private makeRoom(): void {
    for (const [oldest, { session }] of this.graphs) {
      if (this.graphs.size < this.options.maxGraphs) break;
      session.dispose();
      this.graphs.delete(oldest);
    }
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
