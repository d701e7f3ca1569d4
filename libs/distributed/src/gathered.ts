/** What all workers find, in the order of one process. */
/** Something that is found by one of the workers, with its place among what all find. */
export interface Numbered<T> {
  readonly number: number;
  readonly value: T;
}

/** What is needed of the workers; `Workers` has it. */
export interface Group {
  readonly count: number;
  /** Every worker's text, in their order. */
  exchange(text: string): readonly string[] | Promise<readonly string[]>;
}

/** Numbers of a worker that go over the network together. */
const ROUND = 32;

/**
 * All workers' values in the order of their numbers, at each of them. Values are JSON, whose numbers keep every bit.
 * @param workers undefined for one process alone, whose values stay as they are.
 * @param own those of this worker, in order; of n workers it has every n-th number, fewer where some are left out.
 */
export async function* gathered<T>(
  workers: Group | undefined,
  own: AsyncIterable<Numbered<T>>,
): AsyncGenerator<T, void, void> {
  if (workers === undefined) {
    for await (const { value } of own) yield value;
    return;
  }
  const source = own[Symbol.asyncIterator]();
  try {
    let next = await source.next();
    for (let end = ROUND * workers.count; ; end += ROUND * workers.count) {
      const round: Numbered<T>[] = [];
      for (; !next.done && next.value.number < end; next = await source.next()) round.push(next.value);
      const texts = await workers.exchange(JSON.stringify({ round, isLast: next.done === true }));
      const all = texts.map((text) => JSON.parse(text) as { round: Numbered<T>[]; isLast: boolean });
      const found = all.flatMap((part) => part.round).sort((a, b) => a.number - b.number);
      for (const { value } of found) yield value;
      if (all.every(({ isLast }) => isLast)) return;
    }
  } finally {
    await source.return?.();
  }
}
