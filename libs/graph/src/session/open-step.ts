/** Opens a recorded step in a session: with the graph that TensorFlow has rewritten before, where it is kept. */
import type * as tf from '@tensorflow/tfjs-core';
import type { EngineBackend, RewrittenGraph } from '@pyramidal/kernels/engine';
import { encodeGraph, type TensorSignature } from '../record/graph-def';
import { STEP_DONE } from '../record/record';
import { GraphSession, type PreparedRun, type RunNames } from './graph-session';
import { RewrittenGraphs } from './rewritten-graphs';
import type { GraphContract, RunnableGraph } from './runnable-graph';
import { encodeConfig, rewritingOn, type SessionConfig } from './session-config';
import { variableNodes } from './variable-nodes';

/** Rewriting that takes less is not worth a file, in milliseconds. */
const WORTH_KEEPING_MS = 100;

/** A step that is ready to run. */
export interface OpenedStep {
  readonly session: GraphSession;
  /** What the step takes, gives and does in this session's graph. */
  readonly names: RunNames;
  /** Runs it on tensors in the order of its inputs; the caller disposes of its outputs. */
  run(feeds: readonly tf.Tensor[]): tf.Tensor[];
}

/** @throws Error if the graph has an operation that TensorFlow does not know. */
export function openStep(backend: EngineBackend, { graph, contract }: RunnableGraph, given: SessionConfig): OpenedStep {
  const config = { ...rewritingOn(backend.binding.isUsingGpuDevice() ? 'card' : 'processor'), ...given };
  const kept = graphsOf(backend, config);
  const key = kept?.keyOf([graph, JSON.stringify(contract), encodeConfig(config)]) ?? '';
  const rewritten = kept?.read(key);
  const known = rewritten && openOrNone(backend, rewritten, contract, config);
  if (known !== undefined) return known;
  if (rewritten !== undefined) kept?.drop(key);
  const keep = (graph: RewrittenGraph): void => kept?.keep(key, graph);
  return open(backend, graph, { contract, outputs: Object.values(contract.outputs), config, keep });
}

/**
 * The graphs that are kept; none for sessions of other processes, whose devices are not this one's, and none with XLA, which
 * would find its own programs in them.
 */
function graphsOf({ binding }: EngineBackend, { target, cluster, xla }: SessionConfig): RewrittenGraphs | undefined {
  if (target !== undefined || cluster !== undefined || xla || binding.sessions === undefined) return undefined;
  return new RewrittenGraphs(binding.sessions.rewritten);
}

/** A graph that was kept; none where TensorFlow does not take it, since the recorded one does the same. */
function openOrNone(
  backend: EngineBackend,
  { graph, fetches }: RewrittenGraph,
  contract: GraphContract,
  config: SessionConfig,
): OpenedStep | undefined {
  const outputs = Object.values(contract.outputs).map((output, i) => ({ ...output, ref: fetches[i] ?? output.ref }));
  try {
    return open(backend, graph, { contract, outputs, config: { ...config, rewriting: 'none' } });
  } catch {
    return undefined;
  }
}

interface OpenOptions {
  readonly contract: GraphContract;
  /** Where the graph gives the outputs. */
  readonly outputs: readonly TensorSignature[];
  readonly config: SessionConfig;
  /** Takes the graph as TensorFlow has rewritten it. */
  readonly keep?: (graph: RewrittenGraph) => void;
}

function open(
  backend: EngineBackend,
  graph: Uint8Array,
  { contract: { inputs, variables }, outputs, config, keep }: OpenOptions,
): OpenedStep {
  // Messages that follow each other are one message with the fields of both.
  const session = new GraphSession(backend, Buffer.concat([graph, encodeGraph(variableNodes(variables))]), config);
  const feeds = Object.values(inputs).map(({ ref }) => ref);
  const names = { feeds, fetches: outputs, targets: [STEP_DONE] };
  const start = performance.now();
  const step = prepareOrClose(session, { ...names, rewritten: keep !== undefined });
  const isWorthKeeping = performance.now() - start > WORTH_KEEPING_MS;
  const run = (tensors: readonly tf.Tensor[]): tf.Tensor[] => {
    const { outputs, rewritten } = session.run(step, tensors);
    if (rewritten !== undefined && isWorthKeeping) keep?.(rewritten);
    return outputs;
  };
  return { session, names, run };
}

function prepareOrClose(session: GraphSession, names: RunNames): PreparedRun {
  try {
    return session.prepare(names);
  } catch (error) {
    session.close();
    throw error;
  }
}
