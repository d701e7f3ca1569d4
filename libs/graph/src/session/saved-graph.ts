/** Graphs kept on disk, so that a restart records nothing. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { explainGraph, type GraphSummary } from '../explain';
import { encodeGraph, type GraphNode } from '../record/graph-def';
import { doneNode, type StepGraph } from '../record/record';

/** All that a session needs to know of a graph besides the graph itself. */
export type GraphContract = Pick<StepGraph, 'inputs' | 'outputs' | 'variables'>;

/** A graph that a session can run. */
export interface RunnableGraph {
  /** `message GraphDef`. */
  readonly graph: Uint8Array;
  readonly contract: GraphContract;
  readonly summary: GraphSummary;
}

/** The node that has run once every variable of the session has the value fed for it. */
export const VARIABLES_SET = 'variables/set';

const GRAPH = 'graph.pb';
const CONTRACT = 'graph.json';

/** A recording with what sets its variables through placeholders of their own. */
export function runnableGraph(name: string, signature: string, recording: StepGraph): RunnableGraph {
  const { inputs, outputs, variables, nodes } = recording;
  return {
    graph: encodeGraph([...nodes, ...setters(variables)]),
    contract: { inputs, outputs, variables },
    summary: explainGraph(name, signature, recording),
  };
}

/** Writes a graph into a folder that appears when it is complete. */
export function saveGraph(folder: string, { graph, contract, summary }: RunnableGraph): void {
  mkdirSync(dirname(folder), { recursive: true });
  const unfinished = mkdtempSync(`${folder}-`);
  writeFileSync(join(unfinished, GRAPH), graph);
  writeFileSync(join(unfinished, CONTRACT), JSON.stringify({ contract, summary }));
  rmSync(folder, { recursive: true, force: true });
  renameSync(unfinished, folder);
}

/** What `saveGraph` wrote into a folder, or null where there is none. */
export function readGraph(folder: string): RunnableGraph | null {
  if (!existsSync(join(folder, GRAPH))) return null;
  const saved = JSON.parse(readFileSync(join(folder, CONTRACT), 'utf8')) as Omit<RunnableGraph, 'graph'>;
  return { ...saved, graph: readFileSync(join(folder, GRAPH)) };
}

function setters(variables: StepGraph['variables']): GraphNode[] {
  const nodes = variables.flatMap(({ node, shape, dtype }): GraphNode[] => [
    { name: `${node}/feed`, op: 'Placeholder', inputs: [], attrs: { dtype: { type: dtype }, shape: { shape } } },
    {
      name: `${node}/set`,
      op: 'AssignVariableOp',
      inputs: [`${node}/handle:0`, `${node}/feed:0`],
      attrs: { dtype: { type: dtype } },
    },
  ]);
  const sets = variables.map(({ node }) => `${node}/set`);
  return [...nodes, doneNode(VARIABLES_SET, sets)];
}
