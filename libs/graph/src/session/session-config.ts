/** TensorFlow's `ConfigProto`, as far as it is used. */
import type { StepCluster } from '../record/collectives';
import { bytesField, doubleField, integerField, messageField } from '../record/protobuf';

/** Options of a session, those of TensorFlow's `message ConfigProto` that matter here. */
export interface SessionConfig {
  /** Address of a TensorFlow server, such as `grpc://localhost:2222`; a session of this process unless given. */
  readonly target?: string;
  /** Threads for the parts of one operation, where the session uses TensorFlow's own. */
  readonly intraOpThreads?: number;
  /** Threads for operations side by side, where the session uses TensorFlow's own. */
  readonly interOpThreads?: number;
  /** How many devices of a kind it may use, e.g. `{ GPU: 0 }`. */
  readonly deviceCount?: Readonly<Record<string, number>>;
  /** Devices of a server that the session sees, e.g. `/job:worker/task:1`; all unless given. */
  readonly deviceFilters?: readonly string[];
  readonly gpu?: {
    /** Takes a card's memory as it is needed in place of all at once. */
    readonly allowGrowth?: boolean;
    /** The share of a card's memory, between 0 and 1. */
    readonly memoryFraction?: number;
    /** Numbers of the cards to use, e.g. `0,1`. */
    readonly visibleDevices?: string;
  };
  /** How TensorFlow rewrites a graph before its first run; its own way unless given. */
  readonly rewriting?: GraphRewriting | 'none';
  /** Compiles what XLA knows of a graph into programs of its own, when the graph first runs; false unless given. */
  readonly xla?: boolean;
  /** The worker that groups of collectives are agreed with, e.g. `/job:worker/replica:0/task:0`. */
  readonly collectiveLeader?: string;
  /** The processes whose steps compute together, which such steps are recorded for. */
  readonly cluster?: StepCluster;
}

/** Options of Grappler, those of TensorFlow's `message RewriterConfig` that matter here. */
export interface GraphRewriting {
  /** Goes over the graph once in place of twice. */
  readonly once?: boolean;
  /** Passes that are left out. */
  readonly without?: readonly RewritingPass[];
}

type RewritingPass = keyof typeof PASSES;

/** Field and value of `message RewriterConfig` that turn a pass off. */
const PASSES = {
  layout: { field: 1, off: 2 },
  memory: { field: 4, off: 1 },
  loop: { field: 9, off: 2 },
  implementationSelector: { field: 22, off: 2 },
};

/**
 * Half of the time to the first training step went to rewriting. On a processor the second round and these passes change
 * next to nothing: oneDNN chooses its own layouts, nothing is swapped out, and a step has no loops and no functions.
 */
const PROCESSOR_REWRITING: GraphRewriting = {
  once: true,
  without: ['layout', 'memory', 'loop', 'implementationSelector'],
};

/**
 * How steps are rewritten unless a session is told otherwise. On a card in TensorFlow's own way: its layout pass computes
 * convolutions in NCHW and puts transpositions around them where they are in float32, and leaves them in NHWC where tensor
 * cores take them (most are in fp16 from Volta on, in bf16 from Ampere on; `generic_layout_optimizer.cc`).
 */
export const rewritingOn = (device: 'processor' | 'card'): Pick<SessionConfig, 'rewriting'> =>
  device === 'card' ? {} : { rewriting: PROCESSOR_REWRITING };

/** `message ConfigProto`. */
export function encodeConfig(config: SessionConfig): Buffer {
  const {
    intraOpThreads,
    interOpThreads,
    deviceCount = {},
    deviceFilters = [],
    gpu,
    rewriting,
    xla = false,
    collectiveLeader,
  } = config;
  return Buffer.concat([
    ...Object.entries(deviceCount).map(([kind, count]) => countEntry(kind, count)),
    ...optional(intraOpThreads, (threads) => integerField(2, threads)),
    ...deviceFilters.map((filter) => bytesField(4, filter)),
    ...optional(interOpThreads, (threads) => integerField(5, threads)),
    ...optional(gpu, ({ memoryFraction, allowGrowth, visibleDevices }) =>
      messageField(6, [
        ...optional(memoryFraction, (fraction) => doubleField(1, fraction)),
        ...optional(allowGrowth, (grows) => integerField(4, grows)),
        ...optional(visibleDevices, (devices) => bytesField(5, devices)),
      ]),
    ),
    ...optional(rewriting, (rewriting) => messageField(10, graphOptions(rewriting))),
    ...(xla ? [messageField(10, [XLA_OPTIONS])] : []),
    ...optional(collectiveLeader, (leader) => messageField(16, [bytesField(1, leader)])),
  ]);
}

/** In `message OptimizerOptions`: clusters of operations are compiled (`ON_1`), on processors as well. */
const XLA_OPTIONS = messageField(3, [integerField(5, 1), integerField(7, true)]);

/** `message GraphOptions`: what is rewritten over all devices, and on each. */
function graphOptions(rewriting: GraphRewriting | 'none'): Buffer[] {
  if (rewriting !== 'none') return [messageField(10, rewriterConfig(rewriting))];
  return [messageField(3, [integerField(3, -1)]), messageField(10, [integerField(19, 1)])];
}

function rewriterConfig({ once = false, without = [] }: GraphRewriting): Buffer[] {
  const passes = without.map((pass) => integerField(PASSES[pass].field, PASSES[pass].off));
  return [...passes, ...(once ? [integerField(12, 1)] : [])];
}

function countEntry(kind: string, count: number): Buffer {
  return messageField(1, [bytesField(1, kind), integerField(2, count)]);
}

function optional<T>(value: T | undefined, encode: (value: T) => Buffer): Buffer[] {
  return value === undefined ? [] : [encode(value)];
}
