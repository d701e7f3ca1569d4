/** The processes that train together, as the loop of one of them sees them. */
import type * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { metric, windowState } from './run/records';

/** What the loop needs of the processes; `Workers` of `@pyramidal/distributed` has it. */
export interface Team {
  /** Of this process. The first one, 0, keeps the run's folder. */
  readonly index: number;
  /** Every process's text, in their order; all wait for all. */
  exchange(text: string): readonly string[];
  /** Gives all processes the first one's values; tells whether any of them had others. */
  align(variables: readonly tf.Variable[]): boolean;
}

/** Where a run stands, as the process that keeps its folder tells the others. */
const standing = z.object({
  done: z.int().min(0),
  window: windowState.optional(),
  /** The evaluations until now. */
  evaluations: z.array(z.object({ step: z.int(), metrics: z.record(z.string(), metric) })).readonly(),
});

export type Standing = z.output<typeof standing>;

/** The standing that the first process gives; the others' own is none. */
export function shareStanding(team: Team, own: Standing): Standing {
  const [first] = team.exchange(team.index === 0 ? JSON.stringify(own) : '');
  return team.index === 0 ? own : standing.parse(JSON.parse(first!));
}
