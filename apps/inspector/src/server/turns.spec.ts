import { Turns } from './turns';

it('lets so many run at a time, also after one has failed', async () => {
  const turns = new Turns(2);
  let [running, most] = [0, 0];
  const work = async (fails: boolean): Promise<void> => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
    if (fails) throw new Error('it failed');
  };
  const all = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => turns.take(() => work(i % 3 === 0))));
  expect(most).toBe(2);
  expect(all.filter(({ status }) => status === 'rejected')).toHaveLength(7);
});
