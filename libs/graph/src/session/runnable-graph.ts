/** A recording in the form that sessions take. */
import { explainGraph, type GraphSummary } from '../explain';
import { encodeGraph } from '../record/graph-def';
import type { StepGraph } from '../record/record';
import { keepWeights } from './kept-weights';
import { readTogether } from './read-together';

/** All that a session needs to know of a graph besides the graph itself. */
export type GraphContract = Pick<StepGraph, 'inputs' | 'outputs' | 'variables'>;

/** A graph that a session can run. */
export interface RunnableGraph {
  /** `message GraphDef`. */
  readonly graph: Uint8Array;
  readonly contract: GraphContract;
  readonly summary: GraphSummary;
}

/** What a session needs of a recording. @param isOwn whether it is one of this process, which computes on its processors. */
export function runnableGraph(name: string, signature: string, recording: StepGraph, isOwn: boolean): RunnableGraph {
  const { inputs, outputs, variables } = recording;
  const kept = keepWeights(recording.nodes, variables);
  const { nodes, refOf } = isOwn ? readTogether(kept, variables) : { nodes: kept, refOf: (ref: string) => ref };
  const found = Object.entries(outputs).map(([path, output]) => [path, { ...output, ref: refOf(output.ref) }] as const);
  return {
    graph: encodeGraph(nodes),
    contract: { inputs, outputs: Object.fromEntries(found), variables },
    summary: explainGraph(name, signature, recording),
  };
}
