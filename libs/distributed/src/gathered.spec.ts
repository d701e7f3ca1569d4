/** The order of what several workers find. */
import { gathered, type Group, type Numbered } from './gathered';

/** What a worker of three finds of so many numbers; those that 7 divides are left out. */
async function* found(index: number, total: number): AsyncGenerator<Numbered<string>> {
  for (let number = index; number < total; number += 3) if (number % 7 > 0) yield { number, value: `n${number}` };
}

/** Workers in one process, each of which waits for the others' texts. */
function groupOf(count: number): Group[] {
  let round: { texts: string[]; left: number; done: Promise<string[]>; end: (texts: string[]) => void } | undefined;
  return Array.from({ length: count }, (_, index) => ({
    count,
    exchange(text) {
      if (round === undefined) {
        let end: (texts: string[]) => void = () => undefined;
        const done = new Promise<string[]>((resolve) => (end = resolve));
        round = { texts: [], left: count, done, end };
      }
      const own = round;
      own.texts[index] = text;
      if (--own.left === 0) {
        round = undefined;
        own.end(own.texts);
      }
      return own.done;
    },
  }));
}

async function all(group: Group | undefined, index: number, total: number): Promise<string[]> {
  const values: string[] = [];
  for await (const value of gathered(group, found(index, total))) values.push(value);
  return values;
}

describe('gathered', () => {
  it('leaves the values of one process as they are', async () => {
    expect((await all(undefined, 0, 30)).slice(0, 2)).toEqual(['n3', 'n6']);
  });

  it.each([0, 1, 100, 300])('gives every worker all of %i values in their order', async (total) => {
    const expected = Array.from({ length: total }, (_, i) => i).flatMap((i) => (i % 7 > 0 ? `n${i}` : []));
    const values = await Promise.all(groupOf(3).map((group, index) => all(group, index, total)));
    expect(values).toEqual([expected, expected, expected]);
  });
});
