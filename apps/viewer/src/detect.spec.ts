import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createBackbone } from '@pyramidal/backbones';
import { exportGraphModel } from '@pyramidal/graph';
import {
  blankImage,
  encodeImage,
  IMAGENET_NORMALISATION,
  imagesToTensor,
  resizeImage,
  type RgbImage,
} from '@pyramidal/images';
import type { Backbone } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { expectClose, fillWithGolden, findChromium, hasNative, openChromium } from '@pyramidal/testing';
import * as tf from '@tensorflow/tfjs-core';
import type { Browser } from 'playwright-core';
import { buildSite, serveSite, type Site } from './testing/site';
import { ViewerPage } from './testing/viewer-page';

const PATIENCE = 300_000;
/** Where the pictures of the page are left for a person to look at. */
const SCREENSHOTS = resolve(__dirname, '../../../runs/viewer');
const CANVAS = { height: 64, width: 96 };
/** Objects at most. */
const COUNT = 12;
const INPUT = { shortest: 64, longest: 96 };
const CLASSES = [
  { id: 1, name: 'red', colour: [220, 30, 30] },
  { id: 2, name: 'blue', colour: [30, 30, 220] },
] as const;

const executablePath = findChromium();
const lacks =
  executablePath === undefined
    ? 'no Chromium in the path, PYRAMIDAL_CHROMIUM names none'
    : 'no native engine, which exports';
const canRun = executablePath !== undefined && hasNative();

(canRun ? describe : describe.skip)(`the page of objects in Chromium${canRun ? '' : ` (skipped: ${lacks})`}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'viewer-detect-'));
  const picture = rectangles();
  let site: Site;
  let browser: Browser;
  let viewer: ViewerPage;
  let files: Readonly<Record<string, Uint8Array>>;
  let png: Buffer;
  /** What Node finds, by name of the output. */
  let expected: Readonly<Record<'boxes' | 'scores' | 'labels', readonly number[]>>;

  beforeAll(async () => {
    await buildSite(join(folder, 'site'));
    await openRuntime({ engine: 'tensorflow' });
    png = await encodeImage(picture, 'png');
    exportToy();
    files = Object.fromEntries(
      readdirSync(join(folder, 'model')).map((name) => [name, readFileSync(join(folder, 'model', name))]),
    );
    site = await serveSite(join(folder, 'site'));
    const opened = await openChromium(executablePath!);
    browser = opened.browser;
    viewer = new ViewerPage(opened.page);
    await viewer.open(`${site.address}detect.html?engine=wasm&score=0`);
  }, PATIENCE);

  afterAll(async () => {
    await browser?.close();
    site?.close();
    rmSync(folder, { recursive: true });
  });

  /** Writes a detector as `export` does, and finds with it what the page is to find. */
  function exportToy(): void {
    const backbone = createBackbone('groupmixformer_miny', { channels: [10, 10, 10, 10], depths: [1, 1, 1, 1] });
    fillWithGolden(backbone);
    const find = ({ images }: { images: tf.Tensor4D }) => objectsOf(backbone, images);
    const seen = resizeImage(picture, { width: 80, height: 64, convention: 'opencv-bilinear' });
    const images = imagesToTensor([seen], IMAGENET_NORMALISATION, CANVAS);
    const metadata = {
      task: 'detection',
      classes: CLASSES,
      input: INPUT,
      normalisation: { ...IMAGENET_NORMALISATION },
    };
    exportGraphModel(find, { images }, join(folder, 'model'), { metadata });
    const found = tf.tidy(() =>
      Object.entries(find({ images })).map(([name, values]) => [name, [...values.dataSync()]]),
    );
    expected = Object.fromEntries(found) as typeof expected;
    images.dispose();
    backbone.dispose();
  }

  it(
    'finds in a dropped picture what Node finds, and draws it',
    async () => {
      await viewer.dropAll('model', files);
      await viewer.dropAll('picture', { 'rectangles.png': png });
      const { state, message } = await viewer.outcome();
      expect({ state, message }).toEqual({ state: 'ready', message: '12 of 12 objects have a score of 0 or more' });
      const cells = await viewer.texts('#list td');
      const rows = Array.from({ length: COUNT }, (_, i) => cells.slice(3 * i, 3 * i + 3));
      expect(rows.map(([name]) => name)).toEqual(expected.labels.map((label) => CLASSES[label]!.name));
      expectClose(rows.map(([, score]) => Number(score)), expected.scores, { atol: 2e-3 }, 'scores'); // prettier-ignore
      // The picture is 1.25 times as large as what the network sees; the page shows whole pixels of it.
      const boxes = expected.boxes.map((side, i) =>
        Math.min(1.25 * side, i % 2 === 0 ? picture.width : picture.height),
      );
      expectClose(rows.flatMap(([, , box]) => box!.split(', ').map(Number)), boxes, { atol: 0.6 }, 'boxes'); // prettier-ignore
    },
    PATIENCE,
  );

  it('shows what has the score that is asked for, in its colour', async () => {
    const least = (expected.scores[2]! + expected.scores[3]!) / 2;
    await viewer.page.fill('#score', String(least));
    expect(await viewer.page.locator('#list tbody tr').count()).toBe(3);
    // Half-way down the left edge of the best one.
    const [x1, y1, , y2] = expected.boxes.slice(0, 4).map((side) => Math.round(1.25 * side)) as [
      number,
      number,
      number,
      number,
    ];
    const drawn = await viewer.page.evaluate(
      ([x, y]) => {
        const canvas = document.querySelector<HTMLCanvasElement>('#objects')!;
        return [...canvas.getContext('2d')!.getImageData(x!, y!, 1, 1).data.subarray(0, 3)];
      },
      [x1, Math.round((y1 + y2) / 2)],
    );
    expect(drawn).toEqual([...CLASSES[expected.labels[0]!]!.colour]);
    mkdirSync(SCREENSHOTS, { recursive: true });
    await viewer.page.screenshot({ path: join(SCREENSHOTS, 'objects.png'), fullPage: true });
  });

  it('says in one line what is missing', async () => {
    const { 'model.json': topology, ...weights } = files;
    await viewer.dropAll('model', weights);
    expect(await viewer.outcome()).toEqual({
      state: 'failed',
      message: expect.stringContaining('expected model.json and the .bin files beside it, all at once'),
    });
    await viewer.dropAll('model', { 'model.json': topology! });
    expect(await viewer.outcome()).toEqual({
      state: 'failed',
      message: expect.stringMatching(/^model\.json: [^\n]+$/),
    });
  });
});

/** The objects that a backbone's features tell of: one a cell of C3 at most, those that overlap suppressed. */
function objectsOf(backbone: Backbone, images: tf.Tensor4D): Record<'boxes' | 'scores' | 'labels', tf.Tensor> {
  const { C3 } = backbone.extract(images);
  const [, rows, columns, channels] = C3.shape;
  const cells = tf.reshape<tf.Rank.R2>(C3, [-1, channels]);
  const part = (first: number): tf.Tensor2D => tf.sigmoid(tf.slice(cells, [0, first], [-1, 2]));
  const centres = Array.from({ length: rows * columns }, (_, i) => [
    8 * (i % columns) + 4,
    8 * Math.floor(i / columns) + 4,
  ]);
  const reach = tf.add<tf.Tensor2D>(tf.mul(part(2), 12), 4);
  const corners: tf.Tensor2D = tf.concat<tf.Tensor2D>(
    [tf.sub<tf.Tensor2D>(tf.tensor2d(centres), reach), tf.add<tf.Tensor2D>(tf.tensor2d(centres), reach)],
    1,
  );
  const boxes: tf.Tensor2D = tf.clipByValue(corners, 0, CANVAS.height);
  const likeliest: tf.Tensor1D = tf.max(part(0), 1);
  const kept = tf.image.nonMaxSuppressionPadded(boxes, likeliest, COUNT, 0.3, 0, true);
  const { selectedIndices: indices, validOutputs: count } = kept as {
    selectedIndices: tf.Tensor1D;
    validOutputs: tf.Scalar;
  };
  const isKept = tf.less(tf.range(0, COUNT, 1, 'int32'), count);
  const take = (all: tf.Tensor): tf.Tensor => tf.gatherND(all, tf.expandDims(indices, 1));
  return {
    boxes: take(boxes),
    scores: tf.mul(take(likeliest), tf.cast(isKept, 'float32')),
    labels: take(tf.argMax(part(0), 1)),
  };
}

/** Two rectangles on grey. */
function rectangles(): RgbImage {
  const picture = blankImage({ width: 100, height: 80 }, [120, 130, 120]);
  for (const [left, colour] of [
    [10, CLASSES[0].colour],
    [60, CLASSES[1].colour],
  ] as const) {
    for (let y = 20; y < 60; y++) {
      for (let x = left; x < left + 30; x++) picture.data.set(colour, 3 * (y * picture.width + x));
    }
  }
  return picture;
}
