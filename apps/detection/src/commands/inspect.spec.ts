/** What `inspect` opens: the data set of a run with what `eval` left there, files in COCO's format, a data set alone. */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COCO, type CocoDataset, type CocoResult, evaluateDetections } from '@cocoeval/ts';
import type { InspectCommand } from '@pyramidal/task';
import { detectionDefinition } from '../definition';
import { makeToy } from '../testing/toy';
import { openInspected } from './inspect';

let folder: string;
let config: string;
let coco: COCO;
let results: CocoResult[];

beforeAll(async () => {
  ({ folder, config } = await makeToy());
  const dataset = JSON.parse(readFileSync(join(folder, 'data/val.json'), 'utf8')) as CocoDataset;
  coco = new COCO(dataset);
  results = coco.annotations.slice(1).map(({ image_id, category_id, bbox }, i) => ({
    ...{ image_id, category_id, score: 0.9 - 0.01 * i },
    bbox: bbox!.map((side) => side + (i % 3)),
  }));
  for (const name of ['a', 'b']) writeRun(name, true);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A run as `train` and `eval` leave it. */
function writeRun(name: string, hasMasks: boolean): string {
  const run = join(folder, name);
  mkdirSync(join(run, 'eval'), { recursive: true });
  copyFileSync(config, join(run, 'config.yaml'));
  const { metrics: box } = evaluateDetections(coco, results);
  const write = (file: string, value: unknown) => writeFileSync(join(run, 'eval', file), JSON.stringify(value));
  write('bbox.json', results);
  const masks = results.map(({ bbox: _, ...rest }, i) => ({
    ...rest,
    segmentation: coco.annToRLE(coco.annotations[i + 1]!),
  }));
  write('segm.json', hasMasks ? masks : masks.slice(1));
  write('metrics.json', { images: 4, box, ...(hasMasks && { mask: {} }) });
  return run;
}

const open = (command: Partial<InspectCommand>) =>
  openInspected(detectionDefinition(), { runs: [], config: undefined, files: undefined, set: [], port: 0, ...command });

it('compares two runs on the data set of the first, with the numbers of metrics.json', async () => {
  const { about, image } = await open({ runs: [join(folder, 'a'), join(folder, 'b')] });
  const { box } = JSON.parse(readFileSync(join(folder, 'a/eval/metrics.json'), 'utf8')) as { box: object };
  expect(about.runs.map(({ name, metrics }) => [name, metrics])).toEqual([['a', box], ['b', box]]); // prettier-ignore
  expect([about.title, about.images, about.classes.map(({ name }) => name)]).toEqual(['a and b', 4, ['blue', 'red']]);
  const details = image(1, true);
  if (details.task !== 'detection') throw new Error('expected a detector');
  expect(details.runs[0]!.detections).toHaveLength(2);
  for (const { mask } of [...details.objects, ...details.runs[0]!.detections]) expect(mask!.size).toEqual([48, 64]);
});

it('leaves masks of another network alone', async () => {
  const { image } = await open({ runs: [writeRun('boxes', false)] });
  const details = image(1, true);
  if (details.task !== 'detection') throw new Error('expected a detector');
  expect(details.runs[0]!.detections.map(({ mask }) => mask)).toEqual([undefined, undefined]);
});

it('opens files in the format of COCO, and a data set alone', async () => {
  const files = { annotations: join(folder, 'data/val.json'), images: join(folder, 'data/images') };
  const opened = await open({ files: { ...files, results: [join(folder, 'a/eval/bbox.json')] } });
  expect(opened.about.runs[0]!.metrics).toEqual(evaluateDetections(coco, results).metrics);
  expect((await open({ files: { ...files, results: [] } })).about.runs).toEqual([]);
  expect((await open({ config })).about).toMatchObject({ images: 4, runs: [] });
});

it('says in one line what is missing, or does not belong together', async () => {
  await expect(open({ runs: [join(folder, 'none')] })).rejects.toThrow(/none\/config\.yaml/);
  rmSync(join(writeRun('c', true), 'eval/metrics.json'));
  await expect(open({ runs: [join(folder, 'c')] })).rejects.toThrow(/^\S+c\/eval\/metrics\.json: [^\n]+$/);
  const run = writeRun('d', false);
  writeFileSync(join(run, 'eval/metrics.json'), JSON.stringify({ images: 4, mask: {} }));
  await expect(open({ runs: [run] })).rejects.toThrow(/segm\.json: expected a mask for each of 7 boxes/);
  await expect(open({ runs: [writeRun('e', true)], set: ['data.limit=2'] })).rejects.toThrow(
    /eval: expected an evaluation of 2 images, the data set's, received one of 4/,
  );
});

it.each([
  [
    '[{"image_id": 10, "category_id": 3, "score": 1e999, "bbox": [0, 0, 1, 1]}]',
    /entry|score: expected a finite number/,
  ],
  [`${'['.repeat(100_000)}`, /bbox\.json/],
  [
    '[{"image_id": 10, "category_id": 3, "score": 0.5, "bbox": [0, 0, 1e308, 1e308, 1]}]',
    /bbox: expected 4 finite numbers/,
  ],
  ['[{"__proto__": {"image_id": 10}}]', /image_id/],
  ['{"a": 1}', /expected a list/],
])('refuses results that mean harm, case %#', async (text, message) => {
  const run = writeRun('harm', false);
  writeFileSync(join(run, 'eval/bbox.json'), text);
  const refused = open({ runs: [run] });
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toThrow(/^[^\n]{1,400}$/);
});
