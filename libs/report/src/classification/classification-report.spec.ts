import { blankImage } from '@pyramidal/images';
import { rowsOf } from '../testing/read-page';
import { classificationReport } from './classification-report';

it('holds the numbers, the classes and the images of the largest losses', async () => {
  const shown: number[] = [];
  const page = await classificationReport({
    title: 'Evaluation',
    ...{ top1: 0.5, top5: 1, loss: 0.75 },
    names: ['cat', 'dog'],
    confusion: [Uint32Array.of(1, 1), Uint32Array.of(1, 1)],
    images: [
      { label: 0, predicted: 0, score: 0.9, loss: 0.1 },
      { label: 0, predicted: 1, score: 0.6, loss: 0.9 },
      { label: 1, predicted: 0, score: 0.9, loss: 2.3 },
      { label: 1, predicted: 1, score: 0.8, loss: 0.2 },
    ],
    show: async (image) => {
      shown.push(image);
      return [{ name: 'image', image: blankImage({ width: 4, height: 4 }) }];
    },
  });
  expect(rowsOf(page, 'Accuracy').map(([, value]) => value)).toEqual([4, 0.5, 1, 0.75]);
  expect(rowsOf(page, 'precision')).toEqual([['cat', 2, 0.5, 0.5], ['dog', 2, 0.5, 0.5]]); // prettier-ignore
  expect(rowsOf(page, 'Most confused')).toEqual([['cat', 'dog', 1, 0.5], ['dog', 'cat', 1, 0.5]]); // prettier-ignore
  expect(shown).toEqual([2, 1]);
  expect(page).toContain('dog, taken for cat (0.90); loss 2.30');
});
