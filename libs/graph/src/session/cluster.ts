/** Processes that compute together: each runs a server of TensorFlow, and collective operations go between those. */
import { engineBackend, RuntimeError } from '@pyramidal/kernels/engine';
import { bytesField, integerField, messageField } from '../record/protobuf';
import { encodeConfig, type SessionConfig } from './session-config';

/** A cluster as one of its processes sees it. */
export interface Cluster {
  /** `host:port` of every process, in the order that all agree on. */
  readonly workers: readonly string[];
  /** Which of them this process is. */
  readonly index: number;
  /** Seconds that a sum waits for the other processes before the step fails; 300 unless given. */
  readonly timeout?: number;
}

const JOB = 'worker';

/** The options of sessions whose steps may run collectives: with devices of this process alone, led by the first. */
function sessionConfig(index: number): SessionConfig {
  return { deviceFilters: [`/job:${JOB}/task:${index}`], collectiveLeader: `/job:${JOB}/replica:0/task:0` };
}

/**
 * Starts this process's server, which runs as long as the process.
 * @returns what steps that are to compute together are compiled with, as `session`.
 * @throws RuntimeError where no graphs can run; Error in one line, such as that the port is taken.
 */
export function joinCluster({ workers, index, timeout = 300 }: Cluster): SessionConfig {
  const sessions = engineBackend()?.binding.sessions;
  if (sessions === undefined) throw new RuntimeError('joinCluster: expected the engine tensorflow with graphs');
  if (workers[index] === undefined) {
    throw new RangeError(`joinCluster: expected a worker from 0 to ${workers.length - 1}, received ${index}`);
  }
  if (!(timeout > 0))
    throw new RangeError(`joinCluster: expected a timeout of more than 0 seconds, received ${timeout}`);
  const config = sessionConfig(index);
  const target = sessions.startServer(encodeServer({ workers, index }, config));
  return { ...config, target, cluster: { workers: workers.length, timeout } };
}

/** `message ServerDef`. */
export function encodeServer({ workers, index }: Cluster, config: SessionConfig): Buffer {
  const tasks = workers.map((address, task) => messageField(2, [integerField(1, task), bytesField(2, address)]));
  return Buffer.concat([
    messageField(1, [messageField(1, [bytesField(1, JOB), ...tasks])]),
    bytesField(2, JOB),
    integerField(3, index),
    bytesField(4, encodeConfig(config)),
    bytesField(5, 'grpc'),
  ]);
}
