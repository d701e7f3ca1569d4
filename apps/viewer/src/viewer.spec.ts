import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createBackbone } from '@pyramidal/backbones';
import { exportWeights, parseSafetensors, writeSafetensors } from '@pyramidal/checkpoints';
import {
  decodeImage,
  encodeImage,
  IMAGENET_NORMALISATION,
  imagesToTensor,
  resizeAndCentreCrop,
  type RgbImage,
} from '@pyramidal/images';
import { LEVELS, type Level } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { expectClose, fillWithGolden, findChromium, openChromium } from '@pyramidal/testing';
import type { Browser } from 'playwright-core';

import { buildSite, serveSite, type Site } from './testing/site';
import { TOYS, type ToyName } from './testing/toys';
import { ViewerPage } from './testing/viewer-page';

const SIZE = 64;
/** Of a map's largest value. */
const TOLERANCE = 1e-3;
const PATIENCE = 300_000;
const NAMES = Object.keys(TOYS) as ToyName[];
/** Where the pictures of the page are left for a person to look at. */
const SCREENSHOTS = resolve(__dirname, '../../../runs/viewer');

/** What Node gives. */
interface ExpectedMap {
  readonly name: ToyName;
  readonly engine: string;
  readonly level: Level;
  readonly values: Float32Array;
}

const executablePath = findChromium();
const reason = executablePath ? '' : ' (skipped: no Chromium in the path, PYRAMIDAL_CHROMIUM names none)';

(executablePath ? describe : describe.skip)(`the page in Chromium${reason}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'viewer-'));
  const weightsOf = (name: ToyName) => join(folder, `${name}.safetensors`);
  let site: Site;
  let browser: Browser;
  let viewer: ViewerPage;
  let picture: RgbImage;
  let png: Buffer;
  let expected: readonly ExpectedMap[];

  beforeAll(async () => {
    await buildSite(join(folder, 'site'));
    await openRuntime();
    picture = gradients(100, 80);
    png = await encodeImage(picture, 'png');
    for (const name of NAMES) {
      const backbone = createBackbone(name, TOYS[name]);
      fillWithGolden(backbone);
      writeSafetensors(weightsOf(name), await exportWeights(backbone));
      backbone.dispose();
    }
    expected = await mapsUnderNode();
    site = await serveSite(join(folder, 'site'));
    const opened = await openChromium(executablePath!);
    browser = opened.browser;
    viewer = new ViewerPage(opened.page);
  }, PATIENCE);

  afterAll(async () => {
    await browser?.close();
    site?.close();
    rmSync(folder, { recursive: true });
  });

  async function shownMaps(name: ToyName): Promise<ReadonlyMap<Level, Float32Array>> {
    await viewer.choose('weights', weightsOf(name));
    expect(await viewer.outcome()).toMatchObject({ state: 'ready' });
    const { tensors } = parseSafetensors(await viewer.savedMaps());
    return new Map(LEVELS.map((level) => [level, tensors.get(level)!.data as Float32Array]));
  }

  /** What Node gives on its fastest engine, the native one where it is installed, and on WebAssembly. */
  async function mapsUnderNode(): Promise<ExpectedMap[]> {
    const images = () =>
      imagesToTensor([resizeAndCentreCrop(picture, { size: SIZE, cropPct: 1 })], IMAGENET_NORMALISATION);
    const maps: ExpectedMap[] = [];
    for (const choice of ['auto', 'wasm'] as const) {
      const { engine } = await openRuntime({ engine: choice });
      for (const name of NAMES) {
        const backbone = createBackbone(name, { ...TOYS[name], weights: weightsOf(name) });
        const pyramid = backbone.extract(images());
        for (const level of LEVELS) maps.push({ name, engine, level, values: pyramid[level].dataSync<'float32'>() });
        backbone.dispose();
      }
    }
    return maps;
  }

  // WebGPU imitated in software compiles for seconds a model.
  describe.each([
    ['wasm', NAMES],
    ['webgl', NAMES],
    ['webgpu', ['coat_lite_tiny']],
  ] as const)('on %s', (engine, names) => {
    beforeAll(async () => {
      await viewer.open(site.address, { engine, size: SIZE });
      await viewer.drop('picture', 'gradients.png', png);
    }, PATIENCE);

    it.each(names)(
      'gives the features of %s that Node gives',
      async (name) => {
        const shown = await shownMaps(name);
        for (const { engine: nodeEngine, level, values } of expected.filter((maps) => maps.name === name)) {
          const largest = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
          expectClose(shown.get(level)!, values, { atol: TOLERANCE * largest }, `${level} against ${nodeEngine}`);
        }
      },
      PATIENCE,
    );
  });

  describe('as its visitor sees it', () => {
    beforeAll(async () => {
      copyFileSync(weightsOf('groupmixformer_miny'), join(folder, 'site/toy.safetensors'));
      writeFileSync(join(folder, 'site/gradients.png'), png);
      await viewer.open(`${site.address}?weights=toy.safetensors&image=gradients.png&size=${SIZE}`);
      expect(await viewer.outcome()).toEqual({
        state: 'ready',
        message: expect.stringMatching(/^groupmixformer_miny, own sizes on wasm: [\d.]+ m?s a picture$/),
      });
    }, PATIENCE);

    it('takes WebAssembly where graphics are imitated, and tells shapes and timings', async () => {
      expect(await viewer.texts('.shape')).toEqual(['16 × 16 × 20', '8 × 8 × 40', '4 × 4 × 80', '2 × 2 × 80']);
      expect(await viewer.texts('dt')).toEqual([
        'Parameters',
        'Engine',
        'Loading the weights',
        'First run',
        'Warm run',
      ]);
      expect(await viewer.texts('dd')).toEqual([
        '0.21 M',
        'wasm, 2 threads',
        ...Array.from({ length: 3 }, () => expect.stringMatching(/^\d+(\.\d+)? m?s$/)),
      ]);
    });

    it('draws the channel that is picked, its largest value brightest', async () => {
      const { shape, data } = parseSafetensors(await viewer.savedMaps()).tensors.get('C3')!;
      const [, width, channels] = shape as [number, number, number];
      const values = Array.from(data as Float32Array).filter((_, i) => i % channels === 7);
      const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => values.indexOf(value));
      await viewer.page.selectOption('#view', 'channel');
      await viewer.page.fill('#C3 input', '7');
      expect(await viewer.pixel('C3', high! % width, Math.floor(high! / width))).toEqual([253, 231, 37]);
      expect(await viewer.pixel('C3', low! % width, Math.floor(low! / width))).toEqual([68, 1, 84]);
      await viewer.page.selectOption('#view', 'components');
    });

    it.each(['light', 'dark'] as const)('looks right in the %s', async (colorScheme) => {
      mkdirSync(SCREENSHOTS, { recursive: true });
      const path = join(SCREENSHOTS, `${colorScheme}.png`);
      await viewer.page.emulateMedia({ colorScheme });
      await viewer.page.screenshot({ path, fullPage: true });
      const shot = await decodeImage(path);
      expect(shot.data[0]! > 128).toBe(colorScheme === 'light');
      const { x, y, width, height } = (await viewer.page.locator('#C2 canvas').boundingBox())!;
      const cells = new Set<string>();
      for (let i = 0; i < 256; i++) {
        const [column, row] = [x + (((i % 16) + 0.5) * width) / 16, y + ((Math.floor(i / 16) + 0.5) * height) / 16];
        const at = (Math.floor(row) * shot.width + Math.floor(column)) * 3;
        cells.add(shot.data.subarray(at, at + 3).join());
      }
      expect(cells.size).toBeGreaterThan(100); // of the 256 cells of C2
    });

    it.each([
      ['no safetensors', Buffer.from('something else'), 'w: not a valid safetensors file: a header of'],
      ['a PyTorch file', Buffer.from('PK\x03\x04'), 'w: a PyTorch file; make it a safetensors file with'],
      ['another model', otherModel(), 'w: its 1 tensors belong to no backbone known here'],
    ])('says in one line that weights are %s', async (_, bytes, message) => {
      await viewer.drop('weights', 'w', bytes);
      await expectFailure(message);
    });

    it('says in one line that weights are not those of the model chosen', async () => {
      await viewer.drop('weights', 'toy.safetensors', readFileSync(weightsOf('coat_lite_tiny')));
      expect(await viewer.outcome()).toMatchObject({ state: 'ready' });
      await viewer.page.selectOption('#model', 'smt_tiny');
      await expectFailure('toy.safetensors as smt_tiny: the weights do not fit: ');
      await viewer.page.selectOption('#model', 'auto');
      expect(await viewer.outcome()).toMatchObject({ state: 'ready' });
    });

    it('says in one line that a picture cannot be decoded, or is of no size', async () => {
      await viewer.drop('picture', 'cut.png', png.subarray(0, 40));
      await expectFailure('cut.png: cannot be decoded, expected a picture');
      await viewer.page.fill('#size', '50');
      await viewer.page.locator('#size').blur();
      await expectFailure('pixels a side: expected a multiple of 32');
    });

    async function expectFailure(message: string): Promise<void> {
      const outcome = await viewer.outcome();
      expect(outcome).toEqual({ state: 'failed', message: expect.stringContaining(message) });
      expect(outcome.message).not.toContain('\n');
    }
  });
});

/** Waves of another length in each colour. */
function gradients(width: number, height: number): RgbImage {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y, colour] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3];
    return 127 + 60 * Math.sin(x * 0.07 * (colour + 1)) + 60 * Math.cos(y * 0.05 * (colour + 2));
  });
  return { data, width, height };
}

function otherModel(): Buffer {
  const json = '{"fc.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} ';
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, Buffer.from(json), Buffer.alloc(4)]);
}
