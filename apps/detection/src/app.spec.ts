import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CocoAnnotation, CocoDataset, CocoImage, CocoResult } from '@cocoeval/ts';
import { readSafetensors, writeSafetensors } from '@pyramidal/checkpoints';
import { blankImage, decodeImage, encodeImage } from '@pyramidal/images';
import { openInspected } from './commands/inspect';
import { detectionDefinition } from './definition';
import { detect, makeToy, writeAnnotations, writeSet } from './testing/toy';

/** The program as a user meets it, on pictures of rectangles, and what it says when something is wrong. */
let folder: string;
let config: string;
let log: jest.SpyInstance;
let told: jest.SpyInstance;

const python = process.env['PYRAMIDAL_PYTHON'];
const COCOEVAL = `
import json, sys
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
truth, results, kind = sys.argv[1:]
coco = COCO(truth)
evaluation = COCOeval(coco, coco.loadRes(results), kind)
evaluation.evaluate(); evaluation.accumulate(); evaluation.summarize()
print(json.dumps(list(evaluation.stats)))`;

beforeAll(async () => {
  ({ folder, config } = await makeToy());
  told = jest.spyOn(console, 'error').mockImplementation();
  log = jest.spyOn(console, 'log').mockImplementation();
  jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
  expect(await detect(`train ${config} --out ${folder}/run`)).toEqual({ code: 0, message: '' });
});

afterAll(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

type Numbers = Readonly<Record<string, number>>;

describe('a run', () => {
  it('learns two kinds of rectangles; eval of its checkpoint gives the numbers of its last evaluation', async () => {
    expect(readdirSync(join(folder, 'run'))).toEqual(
      expect.arrayContaining(['best.safetensors', 'config.yaml', 'last.safetensors', 'loss.png', 'precision.png']),
    );
    const { images, box, mask } = await evaluated('eval');
    expect(images).toBe(4);
    expect(box['AP50']).toBeGreaterThan(0.6);
    expect(mask!['AP50']).toBeGreaterThan(0.6);
    expect(Object.keys(box)).toHaveLength(12);
    const page = readFileSync(join(folder, 'eval/report.html'), 'utf8');
    for (const numbers of [box, mask!]) expect(page).toContain(`data-value="${numbers['AP']}"`);
    expect(page.match(/<img\s/g)).toHaveLength(8);
    expect(readFileSync(join(folder, 'run/report.html'), 'utf8')).toContain(`data-value="${box['AP']}"`);
    const last = readFileSync(join(folder, 'run/metrics.jsonl'), 'utf8').trim().split('\n').at(-1)!;
    expect(JSON.parse(last)).toMatchObject({
      kind: 'evaluation',
      ...{ boxAP: box['AP'], boxAP50: box['AP50'], boxAP75: box['AP75'] },
      ...{ maskAP: mask!['AP'], maskAP50: mask!['AP50'], maskAP75: mask!['AP75'] },
    });
  });

  it('finds the same in images one by one, which run as a graph, and without a graph or with threads', async () => {
    const { box, mask } = await evaluated('batches');
    for (const set of ['evaluation.batchSize=1', 'runtime.compile=false', 'data.workers=1']) {
      const again = await evaluated('again', [set]);
      expect(again.box['AP']).toBeCloseTo(box['AP']!, 3);
      expect(again.mask!['AP']).toBeCloseTo(mask!['AP']!, 3);
    }
  });

  (python ? it : it.skip)('gives pycocotools the same numbers (skipped without PYRAMIDAL_PYTHON)', async () => {
    const { box, mask } = await evaluated('official');
    const stats = (kind: string): number[] => {
      const results = join(folder, 'official', `${kind}.json`);
      const args = ['-c', COCOEVAL, join(folder, 'data/val.json'), results, kind];
      const output = execFileSync(python!, args, { encoding: 'utf8' });
      return JSON.parse(output.trim().split('\n').at(-1)!) as number[];
    };
    expect(stats('bbox')).toEqual(Object.values(box));
    expect(stats('segm')).toEqual(Object.values(mask!));
  });

  it('prints the categories one by one on demand', async () => {
    log.mockClear();
    await evaluated('categories', ['evaluation.perCategory=true']);
    const printed = log.mock.calls.map(([line]) => line).join('\n');
    expect(printed.match(/^ Average (Precision|Recall) .* = /gm)).toHaveLength(24);
    expect(printed.match(/^(red|blue) .*\d/gm)).toHaveLength(4);
  });

  it('looks at the first images alone where the configuration says so', async () => {
    const { images, box } = await evaluated('few', ['data.limit=2']);
    expect(images).toBe(2);
    expect(box['AP50']).toBeGreaterThan(0.6);
    const results = JSON.parse(readFileSync(join(folder, 'few/bbox.json'), 'utf8')) as CocoResult[];
    expect(new Set(results.map(({ image_id }) => image_id))).toEqual(new Set([10, 11]));
  });

  it('is inspected with the numbers that eval wrote', async () => {
    const { box } = await evaluated('run/eval');
    const command = { runs: [join(folder, 'run')], config: undefined, files: undefined, set: [], port: 0 };
    const { about } = await openInspected(detectionDefinition(), command);
    expect(about.runs).toMatchObject([{ name: 'run', metrics: box }]);
  });

  it('predicts what eval wrote, and draws it', async () => {
    await evaluated('results');
    const results = JSON.parse(readFileSync(join(folder, 'results/bbox.json'), 'utf8')) as CocoResult[];
    const own = results.filter(({ image_id }) => image_id === 11);
    const picture = join(folder, 'data/images/1.png');
    const line = `predict ${config} ${picture} --attention --weights ${folder}/run/last.safetensors --out ${folder}/predictions`;
    expect(await detect(line)).toEqual({ code: 0, message: '' });
    const sheets = ['C2', 'C3', 'C4', 'C5'].map((level) => `0000-1-${level}.jpg`);
    const files = readdirSync(join(folder, 'predictions')).sort();
    expect(files).toEqual([...sheets, '0000-1.jpg', 'predictions.json']);
    const [predicted] = JSON.parse(readFileSync(join(folder, 'predictions/predictions.json'), 'utf8')) as [
      { detections: { categoryId: number; score: number; mask: { size: number[] } }[] },
    ];
    expect(predicted.detections.map(({ categoryId }) => categoryId)).toEqual(own.map(({ category_id }) => category_id));
    expect(predicted.detections[0]!.score).toBeCloseTo(own[0]!.score, 3);
    expect(predicted.detections[0]!.mask.size).toEqual([48, 64]);
  });

  it('writes outlines in place of masks when asked', async () => {
    const picture = join(folder, 'data/images/1.png');
    const line = `predict ${config} ${picture} --polygons --weights ${folder}/run/last.safetensors --out ${folder}/outlines`;
    expect(await detect(line)).toEqual({ code: 0, message: '' });
    const [predicted] = JSON.parse(readFileSync(join(folder, 'outlines/predictions.json'), 'utf8')) as [
      { detections: { polygons: number[][]; mask?: unknown }[] },
    ];
    expect(predicted.detections.length).toBeGreaterThan(0);
    for (const { polygons, mask } of predicted.detections) {
      expect(mask).toBeUndefined();
      for (const points of polygons) expect(points.length % 2).toBe(0);
    }
  });

  it('draws the annotated objects beside the found ones when asked', async () => {
    const truth = join(folder, 'data/val.json');
    const predict = (picture: string, file: string) =>
      detect(
        `predict ${config} ${picture} --truth ${file} --weights ${folder}/run/last.safetensors --out ${folder}/pairs`,
      );
    expect(await predict(join(folder, 'data/images/1.png'), truth)).toEqual({ code: 0, message: '' });
    const { width, height } = await decodeImage(join(folder, 'pairs/0000-1.jpg'));
    expect([width, height]).toEqual([320 + 4 + 320, 240]);
    copyFileSync(join(folder, 'data/images/1.png'), join(folder, 'other.png'));
    expect(await predict(join(folder, 'other.png'), truth)).toMatchObject({
      code: 2,
      message: expect.stringMatching(/--truth .*val\.json: expected an image named 'other\.png'\n?$/),
    });
  });

  it('predicts the pictures that can be decoded, and names the others', async () => {
    const pictures = join(folder, 'pictures');
    mkdirSync(pictures);
    const whole = readFileSync(join(folder, 'data/images/1.png'));
    writeFileSync(join(pictures, 'cut.png'), whole.subarray(0, whole.length / 2));
    writeFileSync(join(pictures, 'page.png'), '<html>');
    writeFileSync(join(pictures, 'whole.png'), whole);
    told.mockClear();
    const line = `predict ${config} ${pictures} --attention --weights ${folder}/run/last.safetensors --out ${folder}/some`;
    expect(await detect(line)).toEqual({ code: 1, message: '' });
    const written = JSON.parse(readFileSync(join(folder, 'some/predictions.json'), 'utf8')) as { image: string }[];
    expect(written.map(({ image }) => image)).toEqual([join(pictures, 'whole.png')]);
    const lines = told.mock.calls.flat();
    expect(lines).toContain('2 broken images were skipped:');
    expect(lines.filter((text) => /(cut|page)\.png: cannot be decoded: /.test(text))).toHaveLength(2);
  });

  it('that Ctrl-C stops goes on with --resume to the same numbers', async () => {
    const out = join(folder, 'stopped');
    const line = `train ${config} --out ${out} --set train.epochs=4 --set runtime.compile=false`;
    const stop = setInterval(() => {
      if (!existsSync(join(out, 'metrics.jsonl'))) return;
      clearInterval(stop);
      process.emit('SIGINT');
    }, 5);
    expect((await detect(line)).code).toBe(130);
    expect(await detect(`${line} --resume`)).toEqual({ code: 0, message: '' });
    expect(await detect(line.replace(out, `${out}-not`))).toEqual({ code: 0, message: '' });
    const lossesOf = (run: string): number[] =>
      readFileSync(join(run, 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((text) => (JSON.parse(text) as Numbers)['loss']!);
    expect(lossesOf(out)).toEqual(lossesOf(`${out}-not`));
  });

  it.each([
    ['cascade-mask-rcnn', 'boxHead: shared2fc, boxHidden: 16, maskHidden: 8, trainProposals: {count: 20}', true],
    ['retinanet', 'convs: 1, hidden: 16', false],
  ])('trains and evaluates %s as well', async (name, options, hasMasks) => {
    const run = join(folder, name);
    const set = [`model.detector={name: ${name}, ${options}}`, 'runtime.compile=false', 'train.epochs=1'];
    expect(await detect(`train ${config} --out ${run}`, ...set)).toEqual({ code: 0, message: '' });
    const metrics = await evaluated(`${name}-eval`, set, join(run, 'last.safetensors'));
    expect(Object.keys(metrics)).toEqual(['images', 'box', ...(hasMasks ? ['mask'] : [])]);
    expect(existsSync(join(folder, `${name}-eval`, 'segm.json'))).toBe(hasMasks);
    if (hasMasks) return;
    const picture = join(folder, 'data/images/1.png');
    expect(
      await detect(`predict ${picture} --polygons --weights ${run}/last.safetensors --out ${run}/outlines`),
    ).toMatchObject({
      code: 2,
      message: expect.stringMatching(
        /--polygons: expected a detector that finds masks, received one that finds boxes alone\n?$/,
      ),
    });
  });

  it('exports weights, and a SavedModel where the engine writes one', async () => {
    const out = join(folder, 'export');
    const line = `export ${config} --weights ${folder}/run/last.safetensors --out ${out}`;
    expect(await detect(line)).toEqual({ code: 0, message: '' });
    expect(readdirSync(out)).toContain('weights.safetensors');
    const { box } = await evaluated('eval-export', [], join(out, 'weights.safetensors'));
    expect(box).toEqual((await evaluated('eval-run')).box);
    // The file tells its configuration and classes, as a checkpoint does.
    expect(await detect(`eval --weights ${out}/weights.safetensors --out ${folder}/eval-alone`)).toEqual({
      code: 0,
      message: '',
    });
    const alone = JSON.parse(readFileSync(join(folder, 'eval-alone/metrics.json'), 'utf8')) as Metrics;
    expect(alone.box).toEqual(box);
  });

  it('tells what the network is made of', async () => {
    log.mockClear();
    expect(await detect(`info ${config} --input 64x96`)).toEqual({ code: 0, message: '' });
    const lines = log.mock.calls.map(([line]) => line).join('\n');
    expect(lines).toMatch(/^mask-rcnn on groupmixformer_miny, 2 classes, input 64x96$/m);
    expect(lines).toMatch(/^C3 {2}8x12x10, stride 8$/m);
  });
});

describe('what is wrong is told in one line', () => {
  it('a configuration, by file and line', async () => {
    const wrong = join(folder, 'wrong.yaml');
    writeFileSync(wrong, readFileSync(config, 'utf8').replace('name: mask-rcnn', 'name: mask-rcn'));
    const { code, message } = await detect(`train ${wrong} --out ${folder}/none`);
    expect(message).toMatch(/wrong\.yaml:15: model\.detector\.name: expected .*mask-rcnn.*, received 'mask-rcn'/);
    expect(code).toBe(2);
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });

  it('a flag that does not exist, and a path that does not', async () => {
    const flag = await detect(`train ${config} --output x`);
    expect(flag).toEqual({
      code: 2,
      message: expect.stringMatching(/unknown option '--output'.*known options: .*--out/),
    });
    const weights = await detect(`eval ${config} --weights ${folder}/none.safetensors`);
    expect(weights).toEqual({ code: expect.any(Number), message: expect.stringMatching(/none\.safetensors/) });
    const picture = await detect(`predict ${config} none.jpg --weights ${folder}/run/last.safetensors`);
    expect(picture).toEqual({ code: 1, message: expect.stringMatching(/none\.jpg: .*no such file/) });
    const data = await detect(`train ${config} --out ${folder}/none`, `data.root=${folder}/nowhere`);
    expect(data).toEqual({ code: 1, message: expect.stringMatching(/nowhere: no such folder \(data\.root\)$/m) });
  });

  it.each<[string, (set: Toys) => void, RegExp]>([
    [
      'an annotation without its image file',
      ({ images }) => images.push({ ...images[0]!, id: 99, file_name: 'gone.png' }),
      /1 of 5 images are not there, the first one .*gone\.png/,
    ],
    [
      'an image id twice',
      ({ images }) => images.push(images[0]!),
      /images\[4\]: id: expected an id that no other image has, received 10/,
    ],
    [
      'an annotation of no image',
      ({ annotations }) => change(annotations, { image_id: 9 }),
      /annotations\[0\] \(id 1\): image_id: expected the id of an image of this file, received 9/,
    ],
    [
      'a category that is missing',
      ({ annotations }) => change(annotations, { category_id: 8 }),
      /annotations\[0\] \(id 1\): category_id: expected the id of a category of this file, received 8/,
    ],
    [
      'a broken polygon',
      ({ annotations }) => change(annotations, { segmentation: [[1, 2, 3]] }),
      /annotations\[0\] \(id 1\): segmentation\[0\]: expected a polygon .* received \[1,2,3\]/,
    ],
    [
      'a picture of another size',
      ({ images }) => change(images, { width: 65 }),
      /0\.png: expected 65x48 pixels as its labels have, received 64x48/,
    ],
    [
      'no images with objects',
      ({ annotations }) => annotations.splice(0),
      /train\.json: expected at least one image with an object/,
    ],
  ])('%s', async (name, spoil, expected) => {
    const { code, message } = await trainOn(name, spoil);
    expect(message).toMatch(expected);
    expect(message.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(1);
  });

  it('a checkpoint of another class count', async () => {
    const list = join(folder, 'three.json');
    writeFileSync(list, JSON.stringify({ categories: [1, 2, 3].map((id) => ({ id, name: `${id}` })) }));
    const line = `predict ${config} ${folder}/data/images/0.png --weights ${untold(`${folder}/run/last.safetensors`)}`;
    const { code, message } = await detect(line, `data.categories=${list}`);
    expect(message).toMatch(/the weights do not fit.*fc_cls/);
    expect(code).toBe(2);
  });
});

describe('what is odd is taken as it is', () => {
  const SEGMENTATION = [[0, 0, 4, 0, 4, 4, 0, 4]];

  it('boxes without area or outside, crowds alone, one pixel, thin strips, hundreds of objects', async () => {
    const picture = async (root: string, name: string, width: number, height: number): Promise<void> =>
      writeFileSync(join(root, 'images', name), await encodeImage(blankImage({ width, height }, [90, 80, 70]), 'png'));
    const { code, message } = await trainOn('odd', async ({ images, annotations }, root) => {
      const add = async (id: number, width: number, height: number): Promise<void> => {
        images.push({ id, width, height, file_name: `${id}.png` });
        await picture(root, `${id}.png`, width, height);
      };
      await add(20, 1, 1);
      await add(21, 800, 2);
      await add(22, 50, 64);
      const object = { category_id: 3, iscrowd: 0, area: 16, segmentation: SEGMENTATION };
      const last = annotations.length;
      const boxes = [
        [20, [0, 0, 1, 1]],
        [21, [100, 0, 40, 2]],
        [10, [5, 5, 0, 9]],
        [11, [500, 500, 10, 10]],
      ] as const;
      boxes.forEach(([image_id, bbox], i) => annotations.push({ ...object, id: last + 1 + i, image_id, bbox }));
      for (let i = 0; i < 600; i++) {
        annotations.push({ ...object, id: 100 + i, image_id: 12, bbox: [i % 60, i % 40, 4, 4] });
      }
      const runs = { size: [64, 50] as const, counts: [0, 3200] };
      annotations.push({ ...object, id: 900, image_id: 22, bbox: [0, 0, 50, 64], iscrowd: 1, segmentation: runs });
    });
    expect({ code, message }).toEqual({ code: 0, message: '' });
  });

  it('pictures of too many pixels, before the first step', async () => {
    const { code, message } = await trainOn('large', () => undefined, ['data.maxPixels=99']);
    expect(message).toMatch(/\.png: cannot be decoded: expected at most 99 pixels \(maxPixels\), received/);
    expect(code).toBe(1);
    expect(existsSync(join(folder, 'large-run'))).toBe(false);
  });

  it('a broken picture, which is left out where the configuration says so', async () => {
    const readable = 'data.val={annotations: readable.json, images: images}';
    const spoil = ({ images, ...rest }: Toys, root: string): void => {
      writeFileSync(join(root, 'images/2.png'), 'not a picture');
      const dataset = { ...rest, images: images.filter(({ id }) => id !== 12) };
      const annotations = rest.annotations.filter(({ image_id }) => image_id !== 12);
      writeFileSync(join(root, 'readable.json'), JSON.stringify({ ...dataset, annotations }));
    };
    const ended = await trainOn('broken', spoil, [readable]);
    expect(ended).toEqual({ code: 1, message: expect.stringMatching(/2\.png: /) });
    const skipped = await trainOn('skipped', spoil, [readable, 'data.onBroken=skip']);
    expect(skipped).toEqual({ code: 0, message: '' });
    expect(told.mock.calls.flat()).toContain('1 broken image was skipped:');
  });
});

type Toys = { readonly images: CocoImage[]; readonly annotations: CocoAnnotation[] };

/** Trains for an epoch on a set that is spoilt first. */
async function trainOn(
  name: string,
  spoil: (set: Toys, root: string) => unknown,
  set: readonly string[] = [],
): ReturnType<typeof detect> {
  const root = join(folder, name.replaceAll(' ', '-'));
  await writeSet(root);
  const dataset = JSON.parse(readFileSync(join(root, 'train.json'), 'utf8')) as CocoDataset & Toys;
  await spoil(dataset, root);
  writeAnnotations(root, dataset);
  return detect(
    `train ${config} --out ${root}-run`,
    `data.root=${root}`,
    'train.epochs=1',
    'runtime.compile=false',
    ...set,
  );
}

function change<T>(records: T[], changes: Partial<T>): void {
  records[0] = { ...records[0]!, ...changes };
}

interface Metrics {
  readonly images: number;
  readonly box: Numbers;
  readonly mask?: Numbers;
}

/** Evaluates the run's last checkpoint, or another one. */
async function evaluated(
  out: string,
  set: readonly string[] = [],
  weights = `${folder}/run/last.safetensors`,
): Promise<Metrics> {
  const result = await detect(`eval ${config} --weights ${weights} --out ${folder}/${out}`, ...set);
  expect(result).toEqual({ code: 0, message: '' });
  return JSON.parse(readFileSync(join(folder, out, 'metrics.json'), 'utf8')) as Metrics;
}

/** The checkpoint as older programs wrote it: without a word on its model. */
function untold(path: string): string {
  const { tensors, metadata, close } = readSafetensors(path);
  const { model: _, ...others } = metadata;
  const older = path.replace('.safetensors', '-older.safetensors');
  writeSafetensors(older, tensors, others);
  close();
  return older;
}
