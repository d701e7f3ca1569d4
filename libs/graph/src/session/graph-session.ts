/** A graph that is ready to run: prepared runs, inputs and outputs. */
import * as tf from '@tensorflow/tfjs-core';
import type { EngineBackend, EngineBinding, NativeSession, RunResult, TensorValues } from '@pyramidal/kernels/engine';
import type { TensorSignature } from '../record/graph-def';
import { encodeConfig, type SessionConfig } from './session-config';

/** Inputs and outputs up to so many bytes are handed over as values; larger ones are shared. */
const SMALL = 1024;

/** What a run takes, gives and does. */
export interface RunNames {
  /** `node:output` of placeholders. */
  readonly feeds?: readonly string[];
  readonly fetches?: readonly TensorSignature[];
  /** Nodes that have to run without giving anything. */
  readonly targets?: readonly string[];
  readonly traced?: boolean;
  /** Whether the first time that it runs it tells how TensorFlow has rewritten its graph. */
  readonly rewritten?: boolean;
}

/** A run with its nodes found once. */
export interface PreparedRun {
  readonly number: number;
  readonly fetches: readonly TensorSignature[];
}

/** A tensor that the addon has. */
interface IdOfTensor {
  readonly id: number;
  readonly dtype: number;
}

/** A graph in a session of TensorFlow that shares memory with the tensors of TensorFlow.js. */
export class GraphSession {
  /** The addon itself: a value may be read back while another step is recorded. */
  private readonly binding: EngineBinding;
  private readonly native: NativeSession;

  /**
   * @param graph `message GraphDef`.
   * @throws Error if the graph has an operation that TensorFlow does not know.
   */
  constructor(
    private readonly backend: EngineBackend,
    graph: Uint8Array,
    { target = '', ...config }: SessionConfig = {},
  ) {
    const { sessions } = backend.binding;
    if (sessions === undefined) throw new Error('there is no addon for sessions');
    this.binding = backend.binding;
    this.native = new sessions.Session({ config: encodeConfig(config), target, graph, threads: sessions.threads });
  }

  prepare({ feeds = [], fetches = [], targets = [], traced = false, rewritten = false }: RunNames): PreparedRun {
    const refs = fetches.map(({ ref }) => ref);
    const number = this.native.prepare({ feeds: [...feeds], fetches: refs, targets: [...targets], traced, rewritten });
    return { number, fetches };
  }

  /** Runs on tensors of the shapes that were prepared, in their order; the caller disposes of the outputs. */
  run(
    prepared: PreparedRun,
    inputs: readonly tf.Tensor[],
  ): { outputs: tf.Tensor[] } & Pick<RunResult, 'trace' | 'rewritten'> {
    const given = inputs.map((input) => this.feed(input));
    // Asking for an id may run this session, to fetch a value that lives in it; so all are known before one is given.
    for (const feed of given) if (!ArrayBuffer.isView(feed)) this.toSession(feed.id, feed.dtype);
    const feeds = given.map((feed) => (ArrayBuffer.isView(feed) ? feed : undefined));
    const { outputs, ...told } = this.native.run(prepared.number, feeds, SMALL);
    const tensors = outputs.map((values, i) => this.tensorOf(values, prepared.fetches[i] as TensorSignature));
    return { outputs: tensors, ...told };
  }

  /** Runs on tensors that the addon knows by their ids, and gives such. */
  runOnIds(prepared: PreparedRun, feeds: readonly IdOfTensor[]): number[] {
    for (const { id, dtype } of feeds) this.toSession(id, dtype);
    const { outputs } = this.native.run(prepared.number, Array<undefined>(feeds.length).fill(undefined), -1);
    return outputs.map((_, i) => this.fromSession((prepared.fetches[i] as TensorSignature).dtype).id);
  }

  close(): void {
    this.native.close();
  }

  private feed(input: tf.Tensor): TensorValues | IdOfTensor {
    const values = this.backend.tensorMap.get(input.dataId)?.values ?? null;
    if (values !== null && isTyped(values) && values.byteLength <= SMALL) return values;
    const [id] = this.backend.getInputTensorIds([input]) as [number];
    return { id, dtype: this.backend.tensorMap.get(input.dataId)?.dtype ?? 0 };
  }

  private tensorOf(values: TensorValues | undefined, { shape, dtype }: TensorSignature): tf.Tensor {
    if (values === undefined) return this.backend.createOutputTensor(this.fromSession(dtype));
    return tf.tensor(values, [...shape], this.nameOf(dtype));
  }

  private toSession(id: number, dtype: number): void {
    this.binding.executeOp('PyramidalToSession', [this.type(dtype)], [id], 0);
  }

  private fromSession(dtype: number) {
    const [tensor] = this.binding.executeOp('PyramidalFromSession', [this.type(dtype)], [], 1);
    if (tensor === undefined) throw new Error('the session gave no tensor');
    return tensor;
  }

  private type(dtype: number) {
    return { name: 'T', type: this.binding.TF_ATTR_TYPE, value: dtype };
  }

  private nameOf(dtype: number): 'float32' | 'int32' | 'bool' {
    if (dtype === this.binding.TF_FLOAT) return 'float32';
    return dtype === this.binding.TF_INT32 ? 'int32' : 'bool';
  }
}

function isTyped(values: tf.backend_util.BackendValues): values is TensorValues {
  return values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array;
}
