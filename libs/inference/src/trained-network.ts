/** What `eval`, `predict` and `export` begin and end with, whatever the task: a network with the weights of a checkpoint. */
import {
  type ConfigSource,
  describeUnread,
  type LoadedConfig,
  openStoredConfig,
  type Reader,
  type SharedConfig,
  UsageError,
  type z,
} from '@pyramidal/config';
import { useJpegDecoder } from '@pyramidal/images';
import type { Module } from '@pyramidal/nn';
import { openRuntime, type Runtime, type RuntimeOptions } from '@pyramidal/runtime';
import { describeLoaded, type ModelCard, type ModelClass, openWeightsFile, TrainingError } from '@pyramidal/training';
import { openConfig } from './open-config';

/** A checkpoint, and what is to differ from what it tells of itself. */
export interface TrainedCommand {
  /** A configuration; the checkpoint's own where absent. */
  readonly config?: ConfigSource | undefined;
  /** Overrides such as `data.workers=0`. */
  readonly set: readonly string[];
  /** Its path, or its bytes. */
  readonly weights: string | Uint8Array;
  /** The command's name, where people are to be told which of the overrides it does not read. */
  readonly reader?: Reader | undefined;
}

/** How a configuration of a task reads. */
export interface ConfiguredTask<Config> {
  /** Name of the task, as checkpoints give it. */
  readonly task: string;
  /** What a configuration must be. */
  readonly schema: z.ZodType<Config>;
}

/** How a task makes a network from a configuration and what it is to work on. */
export interface NetworkTask<
  Config extends SharedConfig,
  Data extends Classified,
  Network extends Module,
> extends ConfiguredTask<Config> {
  /**
   * Opens what the command reads, a dataset or its classes alone, before anything is computed.
   * @param known the classes of the checkpoint, if it tells them.
   */
  readonly open: (config: Config, known: readonly ModelClass[] | undefined) => Promise<Data>;
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
  /** The resolved configuration, as YAML. */
  readonly text: string;
  /** Of the evaluation that the weights were kept for, if the checkpoint tells them. */
  readonly metrics: ModelCard['metrics'];
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
  const trained = await openTrainedNetwork(task, command, { say: console.error });
  try {
    return await use(trained);
  } finally {
    trained.network.dispose();
  }
}

export interface OpenNetworkOptions {
  /** Told of the engine and of the weights, a line each; nobody is by default. */
  readonly say?: (line: string) => void;
  readonly openEngine?: (options: RuntimeOptions) => Promise<Runtime>;
}

/** The same, and the network is the caller's to dispose. */
export async function openTrainedNetwork<Config extends SharedConfig, Data extends Classified, Network extends Module>(
  task: NetworkTask<Config, Data, Network>,
  command: TrainedCommand,
  { say = () => undefined, openEngine = openRuntime }: OpenNetworkOptions = {},
): Promise<TrainedNetwork<Config, Data, Network>> {
  const given = command.config === undefined ? undefined : load(task, command.config, command);
  const file = openWeightsFile(command.weights);
  try {
    requireTask(task, file);
    const { config, text } = given ?? load(task, storedConfig(file), command);
    const data = await task.open(config, file.card?.classes);
    const runtime = await openEngine(config.runtime);
    useJpegDecoder(runtime.jpegDecoder);
    say(`${runtime.engine}: ${runtime.reason}`);
    for (const line of unreadIn(task, command, { config, card: file.card })) say(line);
    const network = task.assemble(config, data.classes.length);
    try {
      const loaded = file.load(network, { ema: config.evaluation.ema });
      for (const line of describeLoaded(file.path, loaded)) say(line);
    } catch (error) {
      network.dispose();
      throw given === undefined ? error : orDifferent(error, task, { given: config, file });
    }
    return { config, text, metrics: file.card?.metrics, data, network, runtime };
  } finally {
    file.close();
  }
}

/** What `info` describes. */
export interface DescribedConfig<Config> extends LoadedConfig<Config> {
  /** Those of the checkpoint, if one is named and tells them. */
  readonly classes: readonly ModelClass[] | undefined;
}

/**
 * The configuration that `info` is told, or that of its checkpoint.
 * @param say is told of overrides that change nothing. @throws ConfigError or UsageError.
 */
export function describedConfig<Config>(
  task: ConfiguredTask<Config>,
  { config, weights, set, reader }: Omit<TrainedCommand, 'weights'> & Partial<Pick<TrainedCommand, 'weights'>>,
  say: (line: string) => void = () => undefined,
): DescribedConfig<Config> {
  if (weights === undefined) {
    if (config === undefined) throw new UsageError('expected a configuration, or weights that bring theirs along');
    return { ...load(task, config, { set }), classes: undefined };
  }
  const file = openWeightsFile(weights);
  try {
    requireTask(task, file);
    const loaded = load(task, config ?? storedConfig(file), { set });
    for (const line of unreadIn(task, { set, reader }, { config: loaded.config, card: file.card })) say(line);
    return { ...loaded, classes: file.card?.classes };
  } finally {
    file.close();
  }
}

const load = <Config>({ schema }: ConfiguredTask<Config>, config: ConfigSource, { set }: Pick<TrainedCommand, 'set'>) =>
  openConfig(schema, { config, set });

/** Overrides that change nothing, a line each. */
function unreadIn<Config>(
  { schema }: ConfiguredTask<Config>,
  { set, reader }: Pick<TrainedCommand, 'set' | 'reader'>,
  { config, card }: { readonly config: Config; readonly card: ModelCard | undefined },
): string[] {
  if (reader === undefined) return [];
  return describeUnread(schema, { config, overrides: set }, { reader, knowsClasses: card !== undefined });
}

/** Weights that do not fit the configuration on the command line may fit the one that they bring along. */
function orDifferent<Config>(
  error: unknown,
  task: ConfiguredTask<Config>,
  { given, file }: { readonly given: Config; readonly file: CardFile },
): unknown {
  if (!(error instanceof TrainingError) || file.card === undefined) return error;
  const [here, own] = [given, load(task, storedConfig(file), { set: [] }).config].map(partsOfModel);
  const different = Object.keys(here!).filter((key) => JSON.stringify(here![key]) !== JSON.stringify(own![key]));
  if (different.length === 0) return error;
  const keys = different.map((key) => `model.${key}`).join(', ');
  const advice = 'without a configuration on the command line, that one is taken';
  return new TrainingError(`${error.message}; they were trained with another ${keys}; ${advice}`, error.exitCode);
}

const partsOfModel = (config: unknown): Readonly<Record<string, unknown>> => {
  const { weights: _, freeze: __, ...parts } = (config as { model?: Record<string, unknown> }).model ?? {};
  return parts;
};

interface CardFile {
  readonly path: string;
  readonly card: ModelCard | undefined;
}

/** @throws UsageError if a checkpoint says that it is another task's. */
function requireTask({ task }: ConfiguredTask<unknown>, { path, card }: CardFile): void {
  if (card === undefined || card.task === task) return;
  throw new UsageError(`${path}: expected weights for ${task}, received a checkpoint of ${card.task}`);
}

/** @throws UsageError if the weights bring no configuration along. */
function storedConfig({ path, card }: CardFile): ConfigSource {
  if (card !== undefined) return openStoredConfig(card.config, `the configuration in ${path}`);
  throw new UsageError(`${path}: expected a configuration beside these weights, which bring none along`);
}
