/** The page's numbers against those of the evaluation, which are pycocotools' (fixtures of @cocoeval/ts). */
import { confusionMatrix, COCO, errorBreakdown, evaluateDetections } from '@cocoeval/ts';
import { blankImage } from '@pyramidal/images';
import { chartsOf, rowsOf } from '../testing/read-page';
import { detectionReport } from './detection-report';

/** Objects on a grid; detections that hit, lie beside, name another class, or miss. */
const CLASSES = ['cat', 'dog', 'a <b>class</b>'];
const images = Array.from({ length: 12 }, (_, i) => ({
  id: i + 1,
  width: 100,
  height: 100,
  file_name: `${i + 1}.jpg`,
}));
const annotations = images.flatMap(
  ({ id }) =>
  [0, 1, 2].map((k) => ({ id: 10 * id + k, image_id: id, category_id: 1 + ((id + k) % 3), bbox: [30 * k, 20, 20, 20], area: 400, iscrowd: 0 })), // prettier-ignore
);
const results = annotations.flatMap(({ id, image_id, category_id, bbox: [x, y, w, h] }) => {
  if (id % 7 === 0) return [];
  const found = {
    image_id,
    category_id: id % 5 === 0 ? 1 + (category_id % 3) : category_id,
    score: 0.25 + (id % 11) / 15,
  };
  return [{ ...found, bbox: [x! + (id % 4), y!, w!, h!] }];
});
const categories = CLASSES.map((name, i) => ({ id: i + 1, name }));
const coco = new COCO({ images, annotations, categories });
const imageIds = images.map(({ id }) => id);
const report = evaluateDetections(coco, results);

let page: string;

beforeAll(async () => {
  page = await detectionReport({
    title: 'Evaluation of <run>',
    coco,
    imageIds,
    results: JSON.stringify(results),
    reports: { boxes: report },
    openPictures: async (ids) => async (id) => {
      expect(ids).toContain(id);
      return [{ name: 'found', image: blankImage({ width: 8, height: 6 }) }];
    },
  });
});

it('holds the numbers of the evaluation', () => {
  expect(report.metrics['AP']).toBeGreaterThan(0.1);
  const rows = rowsOf(page, "COCO's numbers".replace("'", '&#39;'));
  expect(rows).toEqual(Object.entries(report.metrics).map(([name, value]) => [name, value >= 0 ? value : '–']));
});

it('holds every class, sizes too', () => {
  const objects = (id: number): number => annotations.filter(({ category_id }) => category_id === id).length;
  const expected = report.perCategory().map(({ id, name, ...scores }) => {
    const { AP, AP50, AP75, APsmall, APmedium, APlarge, AR } = scores;
    const shown = [AP, AP50, AP75, APsmall, APmedium, APlarge, AR].map((value) => (value >= 0 ? value : '–'));
    return [name.replaceAll('<', '&lt;').replaceAll('>', '&gt;'), objects(id), ...shown];
  });
  expect(rowsOf(page, 'Classes: boxes')).toEqual(expected);
});

it('draws the curves, errors and counts that the evaluation gives', () => {
  const [curves, cost, calibration, counts] = chartsOf(page);
  expect(curves!.series.map(({ name }) => name)).toEqual(['IoU 0.50', 'IoU 0.75', 'IoU 0.90']);
  const { recall, precision } = report.curve({ iou: 0.5 });
  curves!.series[0]!.points.forEach(([r, p], i) => {
    expect(r).toBeCloseTo(recall[i]!, 6);
    expect(p).toBeCloseTo(precision[i]!, 6);
  });
  const { gains, counts: errors } = errorBreakdown(coco, results);
  cost!.series[0]!.points.forEach(([kind, gain]) => expect(gain).toBeCloseTo(gains[kind as keyof typeof gains], 5));
  const kinds = rowsOf(page, 'Errors by kind').map(([kind, , count]) => [kind, count]);
  expect(Object.fromEntries(kinds)).toEqual(errors);
  expect(calibration!.title).toMatch(/expected error \d+\.\d %/);
  expect(counts!.series[0]!.points).toEqual([['0', 0], ['1', 0], ['2', 0], ['3', 12]]); // prettier-ignore
});

it('holds the confusion matrix', () => {
  const { counts } = confusionMatrix(coco, results, { minScore: 0.3 });
  const cells = rowsOf(page, 'What was taken for what').map(([, ...row]) => row.map((cell) => Number(cell)));
  expect(cells).toEqual(counts);
});

it('shows images, takes names as text, and asks nothing of any server', () => {
  expect(page).toContain('<title>Evaluation of &lt;run&gt;</title>');
  expect(page.match(/src="data:image\/webp;base64,/g)!.length).toBeGreaterThan(5);
  const own = page.slice(page.indexOf('<body>'), page.lastIndexOf('<script>', page.lastIndexOf('<script>') - 1));
  expect(own).not.toMatch(/(src|href)="(?!data:|#)/);
  expect(page).not.toContain('<b>class</b>');
});
