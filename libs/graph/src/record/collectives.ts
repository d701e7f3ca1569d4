/** Sums over the processes of a cluster, as TensorFlow's collective operations (`collective_ops.cc`). */
import { DT_INT32, nodeNameOf } from './graph-def';
import type { GraphWriter } from './rewrites';
import type { SymbolicTensor } from './symbolic-tensor';

/** The processes that run a step together, as its recording needs to know them. */
export interface StepCluster {
  readonly workers: number;
  /** Seconds that a sum waits for the others before the step fails. */
  readonly timeout: number;
}

/** All workers make one group; MultiWorkerMirrored counts from 1 too. */
const GROUP = 1;

/**
 * TensorFlow keeps the shape that a number of a collective first had, whatever graph it is in: the number tells the place in the
 * graph, and the size.
 */
const numberOf = (place: number, size: number): number => place * 2 ** 20 + (size % 1_048_573);

const FINAL = { sum: 'Id', mean: 'Div' } as const;

/**
 * The collectives of one graph, one after the other in the order of their recording, which is that of every worker: two
 * that wait for each other's end would wait for ever.
 */
export class Collectives {
  private last: string | undefined;
  private count = 0;
  private readonly known = new Map<string, string>();

  constructor(
    private readonly graph: GraphWriter,
    private readonly cluster: StepCluster,
    private readonly isOnCard: boolean,
  ) {}

  /** @param x a vector. @returns where the result is found; what was reduced before is not again. */
  reduce({ ref, dtype, shape: [size = 1] }: SymbolicTensor, how: 'sum' | 'mean'): string {
    const key = `${how} ${ref}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const instance = numberOf(++this.count, size);
    const numbers = [this.cluster.workers, GROUP, instance].map((number) => this.integer(number));
    const after = this.last === undefined ? [] : [`^${this.last}`];
    const reduced = this.graph.addNode('CollectiveReduceV2', [ref, ...numbers, ...after], {
      T: { type: dtype },
      merge_op: { string: 'Add' },
      final_op: { string: FINAL[how] },
      communication_hint: { string: this.isOnCard ? 'nccl' : 'ring' },
      timeout_seconds: { float: this.cluster.timeout },
      Nordering_token: { int: 0 },
    });
    this.last = nodeNameOf(reduced);
    this.known.set(key, reduced);
    return reduced;
  }

  private integer(value: number): string {
    return this.graph.constantRef({ shape: [], dtype: DT_INT32, values: Int32Array.of(value) });
  }
}
