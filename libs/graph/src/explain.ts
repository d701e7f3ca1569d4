/** What is inside a compiled function's graphs, and how long they took. */
import type { StepGraph } from './record/record';

/** What a developer wants to know of a recorded graph. */
export interface GraphSummary {
  readonly step: string;
  /** Names, types and shapes of the inputs. */
  readonly signature: string;
  readonly nodes: number;
  readonly constantBytes: number;
  /** Variables that the step reads, and those that it changes. */
  readonly variables: { readonly read: number; readonly assigned: number };
  readonly recordMs: number;
  /** How often each operation occurs, most frequent first. */
  readonly operations: Readonly<Record<string, number>>;
}

/** The same with the times of this process. */
export interface LoadedGraphSummary extends GraphSummary {
  readonly loadMs: number;
  /** The first run, in which TensorFlow optimizes the graph; null before it. */
  readonly firstRunMs: number | null;
}

export function explainGraph(step: string, signature: string, recording: StepGraph): GraphSummary {
  const { nodes, variables, constantBytes, recordMs } = recording;
  const counts = new Map<string, number>();
  for (const { op } of nodes) counts.set(op, (counts.get(op) ?? 0) + 1);
  const operations = Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
  const assigned = variables.filter((variable) => variable.assigned).length;
  return {
    step,
    signature,
    nodes: nodes.length,
    constantBytes,
    variables: { read: variables.length, assigned },
    recordMs,
    operations,
  };
}
