import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { givenFeatures } from '@pyramidal/testing';
import { Backbone } from '@pyramidal/nn';
import { createDetector, detectorSchema, DETECTORS } from './detectors';
import { detect, makeToy } from './testing/toy';

/** Every other detector than the one that the program's own spec trains, from a configuration alone. */
const CASCADE = `model.detector={
  name: cascade-mask-rcnn, boxHead: shared2fc, boxHidden: 32, maskHidden: 16, maskConvs: 1,
  anchors: { scales: [4], ratios: [1] }, anchorSample: { count: 32 }, roiSample: { count: 16 },
  trainProposals: { perLevel: 50, count: 40 }, testProposals: { perLevel: 50, count: 20 }, detections: { count: 10 }
}`;
const FASTER = `model.detector={
  name: faster-rcnn, boxHidden: 32, anchors: { scales: [4], ratios: [1] }, anchorSample: { count: 32 },
  roiSample: { count: 16 }, trainProposals: { perLevel: 50, count: 40 }, testProposals: { perLevel: 50, count: 20 },
  detections: { count: 10 }
}`;
const transformer = (name: string): string => `model.detector={
  name: ${name}, queries: 10, encoderLayers: 1, decoderLayers: 2, heads: 2, points: 2, feedForward: 32, dropout: 0,
  detections: { count: 10 }
}`;
const RETINANET = `model.detector={
  name: retinanet, convs: 1, hidden: 16, anchors: { scales: [2], ratios: [1] }, detections: { count: 10 }
}`;
const ATSS = `model.detector={
  name: atss, convs: 1, hidden: 32, anchorScale: 2, detections: { count: 10 }
}`;
const SPARSE_RCNN = `model.detector={
  name: sparse-rcnn, proposals: 8, stages: 2, heads: 2, hidden: 32, dynamic: 8, detections: { count: 10 }
}`;

/** What has no anchors learns where to look first. */
const SLOWLY = ['model.neck.channels=32', 'train.epochs=120', 'evaluation.every=120', 'train.optimizer.lr=4.0e-3'];
const LEARNING: Readonly<Record<string, readonly string[]>> = {
  'sparse-rcnn': ['train.epochs=160', 'evaluation.every=160', 'train.optimizer.lr=4.0e-3'],
  'deformable-detr': SLOWLY,
  dino: SLOWLY,
};

let folder: string;
let config: string;

beforeAll(async () => {
  ({ folder, config } = await makeToy());
  jest.spyOn(console, 'error').mockImplementation();
  jest.spyOn(console, 'log').mockImplementation();
  jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
});

afterAll(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

it.each(Object.entries(DETECTORS))('%s can be named alone, and says whether it predicts masks', (name, definition) => {
  const settings = detectorSchema.parse({ name });
  const backbone = givenFeatures(Backbone, []);
  const detector = createDetector(settings, { backbone, neckChannels: 32, classes: 3 });
  expect([settings.name, detector.predictsMasks]).toEqual([name, definition.predictsMasks]);
  expect(detector.maskSide).toBe(definition.predictsMasks ? 112 : undefined);
  expect([...detector.state().keys()].some((key) => key.includes('mask_head'))).toBe(definition.predictsMasks);
});

it.each([
  ['faster-rcnn', FASTER, ['box']],
  ['cascade-mask-rcnn', CASCADE, ['box', 'mask']],
  ['retinanet', RETINANET, ['box']],
  ['atss', ATSS, ['box']],
  ['sparse-rcnn', SPARSE_RCNN, ['box']],
  ['deformable-detr', transformer('deformable-detr'), ['box']],
  ['dino', transformer('dino'), ['box']],
])('%s trains, is evaluated on what it finds, and predicts', async (name, detector, kinds) => {
  const out = join(folder, name);
  const set = [detector, 'evaluation.drawScore=0.1', ...(LEARNING[name] ?? [])];
  const run = (line: string) => detect(line, ...set);
  expect(await run(`train ${config} --out ${out}`)).toEqual({ code: 0, message: '' });
  const lines = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n');
  const last = JSON.parse(lines.at(-1)!) as Record<string, number>;
  expect(last['boxAP50']).toBeGreaterThan(0.5);

  const weights = join(out, 'last.safetensors');
  expect(await run(`eval ${config} --weights ${weights} --out ${out}/eval`)).toEqual({ code: 0, message: '' });
  const { images, ...found } = JSON.parse(readFileSync(join(out, 'eval/metrics.json'), 'utf8')) as {
    images: number;
    box: Record<string, number>;
  };
  expect([images, Object.keys(found)]).toEqual([4, kinds]);
  expect(found.box['AP']).toBe(last['boxAP']);
  expect(existsSync(join(out, 'eval/segm.json'))).toBe(kinds.includes('mask'));

  const picture = join(folder, 'data/images/1.png');
  const line = `predict ${config} ${picture} --weights ${weights} --out ${out}/predictions`;
  expect(await run(line)).toEqual({ code: 0, message: '' });
  const [predicted] = JSON.parse(readFileSync(join(out, 'predictions/predictions.json'), 'utf8')) as [
    { detections: { mask?: unknown }[] },
  ];
  expect(predicted.detections[0]!.mask !== undefined).toBe(kinds.includes('mask'));
});
