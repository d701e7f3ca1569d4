/** What `eval`, `predict` and `export` begin and end with, whatever the task: a network with the weights of a checkpoint. */
import type { z } from '@pyramidal/config';
import type { Module } from '@pyramidal/nn';
import { openRuntime, type Runtime } from '@pyramidal/runtime';
import { describeLoaded, loadWeightsFile } from '@pyramidal/training';
import { openConfig } from './choose-config';
import type { TrainedCommand } from './task-app';
import type { SharedConfig } from './train-network';

/** How a task makes a network from a configuration and what it is to work on. */
export interface NetworkTask<Config extends SharedConfig, Data extends Classified, Network extends Module> {
  /** What a configuration must be. */
  readonly schema: z.ZodType<Config>;
  /** Opens what the command reads, a dataset or its classes alone, before anything is computed. */
  readonly open: (config: Config) => Promise<Data>;
  /** The network of a configuration, without values yet. */
  readonly assemble: (config: Config, classes: number) => Network;
}

/** Whatever knows the classes that the network tells apart. */
export interface Classified {
  readonly classes: readonly unknown[];
}

/** A network that is ready to be used, and what belongs to it. */
export interface TrainedNetwork<Config, Data, Network> {
  readonly config: Config;
  readonly data: Data;
  readonly network: Network;
  readonly runtime: Runtime;
}

/**
 * Opens the data and the engine that a command names, assembles its network, loads its weights, lends all of it to `use`, and
 * disposes of the network whatever happens.
 * @returns what `use` gives. @throws ConfigError or UsageError about the configuration; CheckpointError or TrainingError
 * about the weights.
 */
export async function withTrainedNetwork<
  Config extends SharedConfig,
  Data extends Classified,
  Network extends Module,
  Result,
>(
  task: NetworkTask<Config, Data, Network>,
  command: TrainedCommand,
  use: (trained: TrainedNetwork<Config, Data, Network>) => Promise<Result>,
): Promise<Result> {
  const { config } = openConfig(task.schema, command);
  const data = await task.open(config);
  const runtime = await openRuntime(config.runtime);
  console.error(`${runtime.engine}: ${runtime.reason}`);
  const network = task.assemble(config, data.classes.length);
  try {
    const loaded = loadWeightsFile(command.weights, network, { ema: config.evaluation.ema });
    for (const line of describeLoaded(command.weights, loaded)) console.error(line);
    return await use({ config, data, network, runtime });
  } finally {
    network.dispose();
  }
}
