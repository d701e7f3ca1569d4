/** The page of an evaluation, from the results files that lie beside it. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { evaluateDetections } from '@cocoeval/ts';
import { openDetectionDataset } from '@pyramidal/coco';
import { makeToy } from './testing/toy';
import { writeReport } from './write-report';

let folder: string;
beforeAll(async () => void ({ folder } = await makeToy()));
afterAll(() => rmSync(folder, { recursive: true }));

it('draws what this evaluation found, whatever an earlier one left in the folder', async () => {
  const dataset = await openDetectionDataset({
    annotations: join(folder, 'data/val.json'),
    images: join(folder, 'data/images'),
  });
  const results = dataset.samples.map(({ id }) => ({ image_id: id, category_id: 7, score: 0.9, bbox: [1, 1, 20, 20] }));
  const lines = results.map((result) => JSON.stringify(result));
  writeFileSync(join(folder, 'bbox.json'), `[\n${lines.join(',\n')}\n]\n`);
  const masks = results.map(({ bbox: _, ...result }) =>
    JSON.stringify({ ...result, segmentation: 'of another network' }),
  );
  writeFileSync(join(folder, 'segm.json'), `[\n${masks.join(',\n')}\n]\n`);

  const box = evaluateDetections(dataset.coco, results);
  await writeReport({ folder, dataset, metrics: { box }, decode: {} });
  const page = readFileSync(join(folder, 'report.html'), 'utf8');
  expect(page.match(/<img\s/g)).toHaveLength(2 * dataset.samples.length);
  expect(page).toContain(`data-value="${box.metrics['AP']}"`);
});
