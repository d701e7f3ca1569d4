/** A recording in the form that sessions take. */
import { explainGraph, type GraphSummary } from '../explain';
import { encodeGraph } from '../record/graph-def';
import type { StepGraph } from '../record/record';
import { keepWeights } from './kept-weights';

/** All that a session needs to know of a graph besides the graph itself. */
export type GraphContract = Pick<StepGraph, 'inputs' | 'outputs' | 'variables'>;

/** A graph that a session can run. */
export interface RunnableGraph {
  /** `message GraphDef`. */
  readonly graph: Uint8Array;
  readonly contract: GraphContract;
  readonly summary: GraphSummary;
}

/** What a session needs of a recording. */
export function runnableGraph(name: string, signature: string, recording: StepGraph): RunnableGraph {
  const { inputs, outputs, variables, nodes } = recording;
  return {
    graph: encodeGraph(keepWeights(nodes, variables)),
    contract: { inputs, outputs, variables },
    summary: explainGraph(name, signature, recording),
  };
}
