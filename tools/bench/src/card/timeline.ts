/** What a card did in one traced step: how long it computed, what for, and what waited for the processor. */
import { operationOf, timeBy, type GroupTime, type TraceEntry } from '@pyramidal/graph';

export interface Timeline {
  /** In which the card computed; what is left of the step's time it waited. Of a processor, in which any of its threads did. */
  readonly busyMs: number;
  /** In which it copied to and from main memory. */
  readonly copyingMs: number;
  /** What was started on it. */
  readonly kernels: number;
  /** The operations that took longest, summed. */
  readonly longest: readonly GroupTime[];
  /** Of operations that the processor computes in a card's step. */
  readonly onProcessor: readonly GroupTime[];
}

const SHOWN = 12;

/** @param entries of one step, as TensorFlow tells them: a card's own beside those of the processor that starts them. */
export function timelineOf(entries: readonly TraceEntry[]): Timeline {
  const kernels = entries.filter(({ device }) => device.endsWith('/stream:all'));
  const copies = entries.filter(({ device }) => device.endsWith('/memcpy'));
  const onProcessor = entries.filter(({ device }) => /CPU:\d+$/i.test(device));
  const computed = kernels.length > 0 ? kernels : onProcessor;
  // A card's kernels are told by the node that started them, and the node's operation by the processor's entry of it.
  const operations = new Map(
    entries.filter(({ label }) => label.includes(' = ')).map((each) => [each.node, operationOf(each)]),
  );
  const operation = (entry: TraceEntry): string => operations.get(nodeOf(entry)) ?? nameOfKernel(entry);
  return {
    busyMs: covered(computed),
    copyingMs: covered(copies),
    kernels: computed.length,
    longest: timeBy(computed, operation).slice(0, SHOWN),
    onProcessor: kernels.length > 0 ? timeBy(onProcessor, operationOf).slice(0, SHOWN) : [],
  };
}

/** Some are told as `node:Operation`. */
const nodeOf = ({ node }: TraceEntry): string => node.split(':')[0]!;

/** Without the types that its source was instantiated with. */
const nameOfKernel = ({ node }: TraceEntry): string => node.split(/[<(]/)[0]!.slice(0, 60);

/** Milliseconds that at least one of them covers. */
function covered(entries: readonly TraceEntry[]): number {
  let [end, sum] = [-Infinity, 0];
  for (const { start, duration } of [...entries].sort((a, b) => a.start - b.start)) {
    sum += Math.max(0, start + duration - Math.max(end, start));
    end = Math.max(end, start + duration);
  }
  return sum / 1000;
}
