import { countProgress } from './count-progress';

it('counts from time to time, and not at all what is done at once', () => {
  let now = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  const { isTTY } = process.stderr;
  process.stderr.isTTY = false;
  try {
    const progress = countProgress(50, 'images');
    for (let i = 0; i < 50; i++) {
      now += 1000;
      progress.add();
    }
    progress.stop();
    const quick = countProgress(5, 'images');
    quick.add();
    quick.stop();
    expect(write.mock.calls.map(([text]) => text)).toEqual([10, 20, 30, 40, 50].map((count) => `${count}/50 images\n`));
  } finally {
    process.stderr.isTTY = isTTY;
    jest.restoreAllMocks();
  }
});
