import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CocoAnnotation, CocoDataset } from '@cocoeval/ts';
import { detect, makeToy } from './testing/toy';

/** Heads as narrow as the toy's own. */
const TWO_STAGES = `boxHidden: 32, anchors: { scales: [4], ratios: [1] }, anchorSample: { count: 32 },
  roiSample: { count: 16 }, trainProposals: { perLevel: 50, count: 40 }, testProposals: { perLevel: 50, count: 20 }`;
const TRANSFORMER =
  'queries: 10, encoderLayers: 1, decoderLayers: 2, heads: 2, points: 2, feedForward: 32, detections: { count: 10 }';
const FEW = ['model.neck.channels=32', 'train.epochs=2', 'runtime.compile=false', 'evaluation.every=2'];

/** What tools that label boxes write in place of a mask. */
const BARE: readonly Partial<Record<'segmentation', unknown>>[] = [{}, { segmentation: null }, { segmentation: [] }];

let folder: string;
let config: string;
let remarks: string[];

beforeAll(async () => {
  ({ folder, config } = await makeToy());
  jest.spyOn(console, 'log').mockImplementation();
  jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
});

beforeEach(() => {
  remarks = [];
  jest.spyOn(console, 'error').mockImplementation((text: string) => void remarks.push(text));
});

afterAll(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** Takes the masks of some annotations away, in every way that files do. */
function stripMasks(isBare: (index: number) => boolean): { config: string } {
  const root = join(folder, 'data');
  const { annotations, ...dataset } = JSON.parse(readFileSync(join(root, 'train.json'), 'utf8')) as CocoDataset;
  const stripped = annotations!.map((annotation, i): unknown => {
    const { segmentation: _segmentation, ...rest } = annotation as CocoAnnotation;
    return isBare(i) ? { ...rest, ...BARE[i % BARE.length] } : annotation;
  });
  const file = join(root, 'stripped.json');
  writeFileSync(file, JSON.stringify({ ...dataset, annotations: stripped }));
  const text = readFileSync(config, 'utf8').replaceAll(/(train|val)\.json/g, 'stripped.json');
  const path = join(folder, 'stripped.yaml');
  writeFileSync(path, text);
  return { config: path };
}

function lastMetrics(run: string): Record<string, number> {
  const lines = readFileSync(join(run, 'metrics.jsonl'), 'utf8').trim().split('\n');
  return Object.assign({}, ...lines.map((line) => JSON.parse(line) as Record<string, number>)) as Record<
    string,
    number
  >;
}

describe('a dataset of boxes without masks', () => {
  it.each([
    ['faster-rcnn', `{ name: faster-rcnn, ${TWO_STAGES} }`],
    ['cascade-rcnn', `{ name: cascade-rcnn, boxHead: shared2fc, ${TWO_STAGES} }`],
    ['retinanet', '{ name: retinanet, convs: 1, hidden: 16, anchors: { scales: [2], ratios: [1] } }'],
    ['atss', '{ name: atss, convs: 1, hidden: 32, anchorScale: 2 }'],
    ['sparse-rcnn', '{ name: sparse-rcnn, proposals: 8, stages: 2, heads: 2, hidden: 32, dynamic: 8 }'],
    ['deformable-detr', `{ name: deformable-detr, ${TRANSFORMER} }`],
    ['dino', `{ name: dino, ${TRANSFORMER} }`],
  ])('trains %s, whose results name boxes only', async (name, detector) => {
    const { config } = stripMasks(() => true);
    const run = join(folder, name);
    const set = [`model.detector=${detector}`, ...FEW];
    expect(await detect(`train ${config} --out ${run}`, ...set)).toEqual({ code: 0, message: '' });
    const metrics = lastMetrics(run);
    expect(metrics['loss']).toBeGreaterThan(0);
    expect(metrics['boxAP']).toBeGreaterThanOrEqual(0);
    expect(Object.keys(metrics).filter((key) => /mask/i.test(key))).toEqual([]);

    const line = `eval ${config} --weights ${join(run, 'last.safetensors')} --out ${run}/eval`;
    expect(await detect(line, ...set)).toEqual({ code: 0, message: '' });
    expect(Object.keys(JSON.parse(readFileSync(join(run, 'eval/metrics.json'), 'utf8')) as object)).toEqual([
      'images',
      'box',
    ]);
    expect([existsSync(join(run, 'eval/bbox.json')), existsSync(join(run, 'eval/segm.json'))]).toEqual([true, false]);
  });

  it('names the detectors that fit, where one is to learn masks', async () => {
    const { config } = stripMasks(() => true);
    const { code, message } = await detect(`train ${config} --out ${folder}/refused`);
    expect(code).toBe(1);
    expect(message.trim()).toBe(
      `${join(folder, 'data/stripped.json')}: expected masks for mask-rcnn, received 8 objects without one; ` +
        'detectors that learn boxes alone: faster-rcnn, cascade-rcnn, retinanet, atss, sparse-rcnn, deformable-detr, dino ' +
        '(--set "model.detector={ name: faster-rcnn }")',
    );
    expect(existsSync(join(folder, 'refused'))).toBe(false);
  });
});

it('a detector of masks learns them from the objects that have one, and is compared with those', async () => {
  // Half of each category's: two annotations an image, one of each.
  const { config } = stripMasks((index) => (Math.floor(index / 2) + index) % 2 === 0);
  const run = join(folder, 'half');
  expect(await detect(`train ${config} --out ${run}`)).toEqual({ code: 0, message: '' });
  expect(remarks).toContain('4 of 8 objects have no mask: only their boxes are learned');
  const { maskAP50, boxAP50 } = lastMetrics(run);
  expect(boxAP50).toBeGreaterThan(0.5);
  expect(maskAP50).toBeGreaterThan(0.5);
});
