/** The first half of `train`, whatever the task: a configuration, its data, an engine, and a network with the values that it starts from. */
import { type SharedConfig, UsageError } from '@pyramidal/config';
import { type ConfiguredTask, openConfig } from '@pyramidal/inference';
import { useJpegDecoder } from '@pyramidal/images';
import type { Backbone, Module } from '@pyramidal/nn';
import { openRuntime, type Runtime } from '@pyramidal/runtime';
import { startFromFile } from '@pyramidal/training';
import { freezeStages } from './freeze-stages';
import { noteOnHalfWidth } from './half-width-note';
import type { TrainCommand } from './task-app';
import { joinTeam, type Team } from './team';

/** What a configuration says of the network to train, whatever the task. */
export interface TrainedConfig extends SharedConfig {
  readonly model: { readonly weights?: string | undefined; readonly freeze?: number | undefined };
}

/** What a training reads, whatever the task. */
export interface TrainingSource {
  readonly classes: readonly unknown[];
  /** What people should know before the first step, one line each. */
  readonly notes: readonly string[];
}

/** A network with a backbone. */
export type TrainableNetwork = Module & { readonly backbone: Backbone };

/** How a task makes a network to train. */
export interface TrainingTask<
  Config extends TrainedConfig,
  Data extends TrainingSource,
  Network extends TrainableNetwork,
> extends ConfiguredTask<Config> {
  /** Opens what the training reads, before anything is computed. */
  readonly open: (config: Config) => Promise<Data>;
  /** The network of a configuration, without values yet. */
  readonly assemble: (config: Config, classes: number) => Network;
}

/** All that a training begins with. */
export interface PreparedTraining<Config, Data, Network> {
  readonly command: TrainCommand;
  readonly schema: ConfiguredTask<Config>['schema'];
  readonly config: Config;
  /** The resolved configuration, as YAML. */
  readonly text: string;
  readonly data: Data;
  readonly runtime: Runtime;
  /** The processes that train together. */
  readonly team: Team;
  /** With values: drawn, or loaded. The caller's to dispose. */
  readonly network: Network;
}

/**
 * Opens what a command names, and says what of it is worth knowing.
 * @throws ConfigError or UsageError about the configuration; errors about the data, the engine and the weights in one line.
 */
export async function prepareTraining<
  Config extends TrainedConfig,
  Data extends TrainingSource,
  Network extends TrainableNetwork,
>(
  { schema, open, assemble }: TrainingTask<Config, Data, Network>,
  command: TrainCommand,
): Promise<PreparedTraining<Config, Data, Network>> {
  const { config, text } = openConfig(schema, command);
  const data = await open(config);
  for (const note of data.notes) console.error(note);
  const runtime = await openRuntime(config.runtime);
  useJpegDecoder(runtime.jpegDecoder);
  console.error(`${runtime.engine}: ${runtime.reason}`);
  requireGraphs(config.runtime, runtime);
  const note = noteOnHalfWidth(config.runtime.precision, runtime.engine);
  if (note !== undefined) console.error(note);
  const team = await joinTeam(runtime);
  const network = assemble(config, data.classes.length);
  try {
    network.initialize(config.train.seed);
    if (config.model.weights !== undefined) startFromFile(config.model.weights, network);
    freezeStages(network, config.model);
  } catch (error) {
    network.dispose();
    throw error;
  }
  return { command, schema, config, text, data, runtime, team, network };
}

/** @throws UsageError where steps would be computed in another precision than the one that is asked for, or without XLA. */
function requireGraphs({ precision, xla, compile }: SharedConfig['runtime'], { engine }: Runtime): void {
  if (compile && engine.startsWith('tensorflow')) return;
  const where = compile ? `on the engine ${engine}` : 'without runtime.compile';
  const need = 'which needs compiled steps on tensorflow or tensorflow-gpu';
  if (precision !== 'float32') {
    throw new UsageError(`runtime.precision: expected float32 ${where}, received ${precision}, ${need}`);
  }
  if (xla) throw new UsageError(`runtime.xla: expected false ${where}, received true, ${need}`);
}
