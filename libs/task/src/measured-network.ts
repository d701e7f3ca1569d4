/** `eval`, whatever the task: a trained network and the images that it is measured on, which fit each other. */
import { dirname, join } from 'node:path';
import type { SharedConfig } from '@pyramidal/config';
import { type NetworkTask, withTrainedNetwork } from '@pyramidal/inference';
import type { Module } from '@pyramidal/nn';
import { type ModelClass, readSplit } from '@pyramidal/training';
import { requireKnownClasses } from './known-classes';
import type { EvaluateCommand } from './task-app';
import { joinTeam, type Team, workTogether } from './team';

/** What a network is measured on. */
export interface MeasuredData {
  readonly classes: readonly unknown[];
  /** What people should know of the images, one line each. */
  readonly notes: readonly string[];
  /** Names of the images, where they are a share of the training set. */
  readonly heldOut: readonly string[] | undefined;
}

/** How a task opens what it measures on. */
export interface MeasuredTask<
  Config extends SharedConfig,
  Data extends MeasuredData,
  Network extends Module,
> extends Pick<NetworkTask<Config, Data, Network>, 'task' | 'schema' | 'assemble'> {
  readonly openMeasured: (config: Config) => Promise<Data>;
  /** The classes as checkpoints tell them. */
  readonly modelClasses: (data: Data) => readonly ModelClass[];
  /** Where they come from, for errors. */
  readonly sourceOf: (config: Config) => string;
}

/** What is lent. */
export interface MeasuredNetwork<Config, Data, Network> {
  readonly config: Config;
  readonly data: Data;
  readonly network: Network;
  /** The processes that measure together; the first one writes what they find. */
  readonly team: Team;
}

/**
 * Lends the network of a checkpoint and the images to measure it on, and says what of them is worth knowing.
 * @returns what `measure` gives. @throws UsageError if the images have other classes than the checkpoint; errors of
 * `withTrainedNetwork`.
 */
export function withMeasuredNetwork<
  Config extends SharedConfig,
  Data extends MeasuredData,
  Network extends Module,
  Result,
>(
  { openMeasured, modelClasses, sourceOf, ...task }: MeasuredTask<Config, Data, Network>,
  command: EvaluateCommand,
  measure: (measured: MeasuredNetwork<Config, Data, Network>) => Promise<Result>,
): Promise<Result> {
  const open = async (config: Config, known: readonly ModelClass[] | undefined): Promise<Data> => {
    const data = await openMeasured(config);
    requireKnownClasses(known, { name: sourceOf(config), classes: modelClasses(data) });
    return data;
  };
  return withTrainedNetwork(
    { ...task, open },
    { ...command, reader: 'eval' },
    async ({ config, data, network, runtime }) => {
      for (const note of [...data.notes, ...compareSplits(command.weights, data)]) console.error(note);
      const team = await joinTeam(runtime);
      return workTogether(team, () => measure({ config, data, network, team }));
    },
  );
}

/** Images that the run of a checkpoint held out are new to the network; those of another share may not be. */
function compareSplits(weights: string | Uint8Array, { heldOut }: MeasuredData): string[] {
  if (heldOut === undefined || typeof weights !== 'string') return [];
  const run = dirname(weights);
  const split = readSplit(run);
  if (split === undefined) return [];
  const unseen = new Set(split.validation);
  const others = heldOut.filter((name) => !unseen.has(name)).length;
  if (others === 0 && heldOut.length === unseen.size) return [];
  const record = `(${join(run, 'split.json')})`;
  return [
    others === 0
      ? `data.val: these ${heldOut.length} images are some of the ${unseen.size} that the run held out ${record}`
      : `data.val: ${others} of these ${heldOut.length} images are not among the ${unseen.size} that the run held out ` +
        `${record}: the network may have learned from them`,
  ];
}
