import { describeData } from './data-report';

it('names each class on one line of its table, whatever its name holds', async () => {
  const split = {
    name: 'training',
    files: [],
    checked: { sizes: [], broken: new Map() },
    skipsBroken: false,
    lines: [],
  };
  const classes = ['a', 'x\ny\u001b[2J', 'z'.repeat(100_000)];
  const { lines } = await describeData({
    root: '/data',
    classes,
    unit: 'images',
    splits: [{ ...split, counts: [1, 2, 3] }],
    notes: ['/data/train: 1 files are no images, the first one a\nb'],
  });
  expect(lines.filter((line) => /\p{Cc}/u.test(line) || line.length > 100)).toEqual([]);
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}x y \[2J +2$/));
});
