import { blankImage } from '@pyramidal/images';
import { chartsOf, rowsOf } from '../testing/read-page';
import { segmentationReport } from './segmentation-report';

it('holds the numbers, the classes and the worst images first', async () => {
  const shown: number[] = [];
  const page = await segmentationReport({
    title: 'Evaluation',
    metrics: { mIoU: 0.5, mAcc: 0.625, aAcc: 0.75 },
    classes: [
      { name: 'wall', iou: 0.25, acc: 0.5, dice: 0.4, pixels: 30 },
      { name: 'sky', iou: 0.75, acc: 0.75, dice: 0.86, pixels: 10 },
      { name: 'sea', iou: NaN, acc: NaN, dice: NaN, pixels: 0 },
    ],
    confusion: [Float64Array.of(15, 15, 0), Float64Array.of(0, 10, 0), new Float64Array(3)],
    images: [
      { name: 'a', pixels: 20, wrong: 5, wrongAtEdges: 5 },
      { name: 'b', pixels: 20, wrong: 10, wrongAtEdges: 4 },
      { name: 'c', pixels: 20, wrong: 0, wrongAtEdges: 0 },
    ],
    edgeWidth: 3,
    show: async (image) => {
      shown.push(image);
      return [{ name: 'image', image: blankImage({ width: 4, height: 4 }) }];
    },
  });
  expect(rowsOf(page, 'Accuracy').map(([, value]) => value)).toEqual([3, 0.5, 0.625, 0.75, 0.6]);
  expect(rowsOf(page, 'Dice').map(([name, , iou]) => [name, iou])).toEqual([['wall', 0.25], ['sky', 0.75], ['sea', '–']]); // prettier-ignore
  expect(rowsOf(page, 'Most confused')).toEqual([['wall', 'sky', 15, 0.5]]);
  expect(chartsOf(page)[0]!.series[0]!.points).toEqual([['sky', 0.75], ['wall', 0.25]]); // prettier-ignore
  expect(shown).toEqual([1, 0]);
  expect(page).toContain('b: 50.0 % wrong, 40 % of that within 3 pixels of an edge');
});
