/** Nodes that set and read the variables of a session, whatever the graph beside them has become. */
import type { GraphNode, TensorSignature } from '../record/graph-def';
import { doneNode, type RecordedVariable } from '../record/record';

/** The node that has run once every variable of the session has the value fed for it. */
export const VARIABLES_SET = 'variables/set';

/** The placeholder of a variable's next value. */
export const feedOf = ({ node }: RecordedVariable): string => `${node}/feed:0`;

/** A variable's value as it is now. */
export const valueOf = ({ node, shape, dtype }: RecordedVariable): TensorSignature => ({
  ref: `${node}/value:0`,
  shape,
  dtype,
});

/** Handles of their own find the same variables by the name that is shared. */
export function variableNodes(variables: readonly RecordedVariable[]): GraphNode[] {
  const nodes = variables.flatMap(({ node, shape, dtype }): GraphNode[] => {
    const type = { dtype: { type: dtype } };
    const named = { shape: { shape }, shared_name: { string: node }, container: { string: '' } };
    return [
      { name: `${node}/home`, op: 'VarHandleOp', inputs: [], attrs: { ...type, ...named } },
      { name: `${node}/feed`, op: 'Placeholder', inputs: [], attrs: { ...type, shape: { shape } } },
      { name: `${node}/set`, op: 'AssignVariableOp', inputs: [`${node}/home:0`, `${node}/feed:0`], attrs: type },
      { name: `${node}/value`, op: 'ReadVariableOp', inputs: [`${node}/home:0`], attrs: type },
    ];
  });
  const sets = variables.map(({ node }) => `${node}/set`);
  return [...nodes, doneNode(VARIABLES_SET, sets)];
}
