/** What an optimizer is, and parameter groups with their own learning rate and weight decay. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from '@pyramidal/nn';
import { makeBlocks, type ParameterBlock, type Pace } from './parameter-block';
import type { BlockState } from './block-state';

/** Named numbers that change from update to update and so enter a step as inputs. */
type Scalars = Readonly<Record<string, number>>;
type ScalarTensors = Readonly<Record<string, tf.Tensor>>;

/** Gradients, one tensor of the block's shape a block. */
export interface Gradients {
  readonly of: ReadonlyMap<ParameterBlock, tf.Tensor>;
  /** Names of parameters that the loss does not reach: they stay as they are. */
  readonly unreached: ReadonlySet<string>;
}

/**
 * Changes parameters by their gradients. `apply` is static: it may be recorded once and replayed, so everything that
 * moves from update to update comes in through `scalars`.
 */
export interface Optimizer {
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly blocks: readonly ParameterBlock[];
  /** State by its name in checkpoints, for instance `exp_avg`. */
  readonly state: ReadonlyMap<string, BlockState>;
  /** @param update counted from 0. @param lr base rate of this update. */
  scalars(update: number, lr: number): Scalars;
  /** @param applies bool scalar; where it is false everything keeps its value, and the gradients are 0. */
  apply(gradients: Gradients, scalars: ScalarTensors, applies?: tf.Tensor): void;
  /** Frees what it keeps between updates besides its state. */
  dispose?(): void;
}

/** Parameters that learn at another pace than the rest. */
export interface ParameterGroup {
  /** The beginning of their names, in which `*` stands for any text; or a test of a name. */
  readonly match: string | ((name: string) => boolean);
  /** Factor on the learning rate. */
  readonly lrScale?: number;
  /** Factor on the weight decay. */
  readonly decayScale?: number;
}

/** The settings by which parameters are grouped. */
interface GroupingOptions {
  readonly weightDecay: number;
  /** Also decay biases and the scales of norms (parameters of fewer than two dimensions). */
  readonly decayNormsAndBiases: boolean;
  readonly groups: readonly ParameterGroup[];
}

/**
 * Gives every parameter its pace and puts those of one pace together; the first group that matches counts.
 * @throws Error if a group matches no parameter.
 */
export function groupParameters(
  parameters: ReadonlyMap<string, Parameter>,
  { weightDecay, decayNormsAndBiases, groups }: GroupingOptions,
): { paces: readonly Pace[]; blocks: readonly ParameterBlock[] } {
  checkGroups(groups, [...parameters.keys()]);
  const paces = new Map<string, Pace>();
  const paceOf = new Map<string, Pace>();
  for (const [name, parameter] of parameters) {
    const { lrScale = 1, decayScale = 1 } = groups.find((group) => matches(group, name)) ?? {};
    const decay = parameter.decay || decayNormsAndBiases ? weightDecay * decayScale : 0;
    const key = `${lrScale}/${decay}`;
    const pace = paces.get(key) ?? { index: paces.size, lrScale, weightDecay: decay };
    paces.set(key, pace);
    paceOf.set(name, pace);
  }
  return { paces: [...paces.values()], blocks: makeBlocks(parameters, paceOf) };
}

function checkGroups(groups: readonly ParameterGroup[], names: readonly string[]): void {
  for (const group of groups) {
    if (names.some((name) => matches(group, name))) continue;
    throw new Error(`optimizer groups: no parameter matches '${String(group.match)}'; the first one is ${names[0]}`);
  }
}

/** Whether a parameter of this name belongs to a group. */
export function matches({ match }: ParameterGroup, name: string): boolean {
  return typeof match === 'string' ? beginsLike(name, match) : match(name);
}

function beginsLike(name: string, pattern: string): boolean {
  const [start = '', ...parts] = pattern.split('*');
  let end = name.startsWith(start) ? start.length : -1;
  for (const part of parts) {
    const found = end < 0 ? -1 : name.indexOf(part, end);
    end = found < 0 ? -1 : found + part.length;
  }
  return end >= 0;
}
