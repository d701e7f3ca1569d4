import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeSavedModel, type GraphNode } from './graph-def';
import { doneNode, type Recording } from './record';

/** Writes a recording as a SavedModel whose variables are set through placeholders of their own. */
export function writeGraph(folder: string, recording: Recording): void {
  const { nodes, inputs, outputs, variables } = recording;
  const setters = variables.flatMap(({ node, shape, dtype }): GraphNode[] => [
    { name: `${node}/feed`, op: 'Placeholder', inputs: [], attrs: { dtype: { type: dtype }, shape: { shape } } },
    {
      name: `${node}/set`,
      op: 'AssignVariableOp',
      inputs: [`${node}/handle:0`, `${node}/feed:0`],
      attrs: { dtype: { type: dtype } },
    },
  ]);
  const done = doneNode(
    'variables/set:0',
    variables.map(({ node }) => `${node}/set`),
  );
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'saved_model.pb'), encodeSavedModel([...nodes, ...setters, done], { inputs, outputs }));
}
