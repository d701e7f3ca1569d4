import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { explainGraph, type GraphSummary } from '../explain';
import { encodeSavedModel, type GraphNode } from '../record/graph-def';
import { doneNode, type StepGraph } from '../record/record';

/** All that a session needs to know of a graph besides the graph itself. */
export type GraphContract = Pick<StepGraph, 'inputs' | 'outputs' | 'variables'>;

export interface SavedGraph {
  readonly contract: GraphContract;
  readonly summary: GraphSummary;
}

/** Fetching it waits until every variable of the session has the value fed for it. */
export const VARIABLES_SET = 'variables/set:0';

const CONTRACT = 'graph.json';

/**
 * Writes a recording as a SavedModel whose variables are set through placeholders of their own. The folder appears
 * when it is complete.
 */
export function saveGraph(folder: string, name: string, signature: string, recording: StepGraph): SavedGraph {
  const { inputs, outputs, variables } = recording;
  const saved = { contract: { inputs, outputs, variables }, summary: explainGraph(name, signature, recording) };
  mkdirSync(dirname(folder), { recursive: true });
  const unfinished = mkdtempSync(`${folder}-`);
  const nodes = [...recording.nodes, ...setters(variables)];
  writeFileSync(join(unfinished, 'saved_model.pb'), encodeSavedModel(nodes, { inputs, outputs }));
  writeFileSync(join(unfinished, CONTRACT), JSON.stringify(saved));
  rmSync(folder, { recursive: true, force: true });
  renameSync(unfinished, folder);
  return saved;
}

/** What `saveGraph` wrote into a folder, or null where there is none. */
export function readGraph(folder: string): SavedGraph | null {
  const file = join(folder, CONTRACT);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as SavedGraph) : null;
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
  return [
    ...nodes,
    doneNode(
      VARIABLES_SET,
      variables.map(({ node }) => `${node}/set`),
    ),
  ];
}
