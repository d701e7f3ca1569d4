import * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from '@pyramidal/nn';

/** A tensor of training state that goes into checkpoints, laid out as the parameter it belongs to. */
export interface Slot {
  readonly variable: tf.Variable;
  readonly parameter: Parameter;
}

/** Named numbers that change from update to update and so enter a step as inputs. */
export type Scalars = Readonly<Record<string, number>>;
export type ScalarTensors = Readonly<Record<string, tf.Tensor>>;

/**
 * Changes parameters by their gradients. `apply` is static: it may be recorded once and replayed, so everything that
 * moves from update to update comes in through `scalars`.
 */
export interface Optimizer {
  readonly parameters: ReadonlyMap<string, Parameter>;
  /** State by checkpoint key, for instance `exp_avg.head.weight`; there from the start. */
  readonly slots: ReadonlyMap<string, Slot>;
  /** @param update counted from 0. @param lr base rate of this update. */
  scalars(update: number, lr: number): Scalars;
  /** Parameters without a gradient stay as they are. */
  apply(gradients: ReadonlyMap<string, tf.Tensor>, scalars: ScalarTensors): void;
  dispose(): void;
}

/** Parameters that learn at another pace than the rest. */
export interface ParameterGroup {
  /** The beginning of their names, or a test of a name. */
  readonly match: string | ((name: string) => boolean);
  /** Factor on the learning rate. */
  readonly lrScale?: number;
  /** Factor on the weight decay. */
  readonly decayScale?: number;
}

export interface GroupingOptions {
  readonly weightDecay: number;
  /** Also decay biases and the scales of norms (parameters of fewer than two dimensions). */
  readonly decayNormsAndBiases: boolean;
  readonly groups: readonly ParameterGroup[];
}

/** Parameters with the same pace share their numbers. */
export interface Pace {
  readonly index: number;
  readonly lrScale: number;
  readonly weightDecay: number;
}

/**
 * Gives every parameter its pace; the first group that matches counts.
 * @throws Error if a group matches no parameter.
 */
export function assignPaces(
  parameters: ReadonlyMap<string, Parameter>,
  { weightDecay, decayNormsAndBiases, groups }: GroupingOptions,
): { paces: readonly Pace[]; paceOf: ReadonlyMap<string, Pace> } {
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
  return { paces: [...paces.values()], paceOf };
}

function checkGroups(groups: readonly ParameterGroup[], names: readonly string[]): void {
  for (const group of groups) {
    if (names.some((name) => matches(group, name))) continue;
    throw new Error(`optimizer groups: no parameter matches '${String(group.match)}'; the first one is ${names[0]}`);
  }
}

function matches({ match }: ParameterGroup, name: string): boolean {
  return typeof match === 'string' ? name.startsWith(match) : match(name);
}

/** A slot of zeros beside every parameter. */
export function zeroSlots(parameters: ReadonlyMap<string, Parameter>): Map<string, Slot> {
  return new Map(
    [...parameters].map(([name, parameter]) => {
      const variable = tf.tidy(() => tf.variable(tf.zeros([...parameter.shape]), false));
      return [name, { variable, parameter }];
    }),
  );
}

/** Slots under `<kind>.<parameter>`. */
export function prefixed(kind: string, slots: ReadonlyMap<string, Slot>): [string, Slot][] {
  return [...slots].map(([name, slot]) => [`${kind}.${name}`, slot]);
}
