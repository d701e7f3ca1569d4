/** A checkpoint opened for images of any caller: its network, its engine, and the queue before them. */
import type { SharedConfig } from '@pyramidal/config';
import type { Module } from '@pyramidal/nn';
import type { RuntimeOptions } from '@pyramidal/runtime';
import { evaluationBatchSize } from './evaluation-batch-size';
import { findWeights } from './find-weights';
import { ImageQueue, type ImageWork } from './image-queue';
import { borrowEngine } from './shared-engine';
import {
  type Classified,
  type NetworkTask,
  openTrainedNetwork,
  type TrainedCommand,
  type TrainedNetwork,
} from './trained-network';

/** How a model is opened; what is left out is the checkpoint's own. */
export interface OpenOptions extends Pick<RuntimeOptions, 'engine' | 'threads'> {
  /** Images that the network takes at once at most; default that of its evaluation. */
  readonly batchSize?: number;
  /** YAML file, for weights that bring no configuration along. */
  readonly config?: string;
  /** Overrides of the configuration, such as `data.workers=0`. */
  readonly set?: readonly string[];
}

/** What an application does with the images of a network. */
export type WorkOf<Config, Data, Network, Prepared, Result> = (
  trained: TrainedNetwork<Config, Data, Network>,
) => ImageWork<Prepared, Result>;

/** A network that takes images until its queue is closed, which disposes of it. */
export interface OpenedModel<Config, Data, Network, Prepared, Result> extends TrainedNetwork<Config, Data, Network> {
  readonly queue: ImageQueue<Prepared, Result>;
}

/** What a caller's options mean to a command. @param weights a file, the folder of a run, or the bytes of a safetensors file. */
export function commandOf(weights: string | Uint8Array, options: OpenOptions): TrainedCommand {
  const { engine, threads, batchSize, config, set = [] } = options;
  const own = { 'runtime.engine': engine, 'runtime.threads': threads, 'evaluation.batchSize': batchSize };
  const given = Object.entries(own).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]));
  return {
    weights: typeof weights === 'string' ? findWeights(weights).file : weights,
    config,
    set: [...set, ...given],
  };
}

/**
 * Opens a model.
 * @param say is told of the engine and of the weights, a line each; nobody is by default.
 * @throws ConfigError or UsageError about the configuration; CheckpointError or TrainingError about the weights; RuntimeError
 * about the engine.
 */
export async function openModel<
  Config extends SharedConfig,
  Data extends Classified,
  Network extends Module,
  Prepared,
  Result,
>(
  task: NetworkTask<Config, Data, Network>,
  command: TrainedCommand,
  workOf: WorkOf<Config, Data, Network, Prepared, Result>,
  say?: (line: string) => void,
): Promise<OpenedModel<Config, Data, Network, Prepared, Result>> {
  let giveBack = (): void => undefined;
  const openEngine = async (options: RuntimeOptions) => {
    const borrowed = await borrowEngine(options);
    giveBack = borrowed.giveBack;
    return borrowed.runtime;
  };
  try {
    const trained = await openTrainedNetwork(task, command, { openEngine, say });
    const { config, network } = trained;
    const release = (): void => {
      network.dispose();
      giveBack();
    };
    const batchSize = evaluationBatchSize(config);
    return { ...trained, queue: new ImageQueue(workOf(trained), { batchSize, release }) };
  } catch (error) {
    giveBack();
    throw error;
  }
}
