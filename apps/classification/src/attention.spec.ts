import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBackbone, type VariantName } from '@pyramidal/backbones';
import { drawAttention } from '@pyramidal/task';
import { cropImage, decodeImage, type RgbImage } from '@pyramidal/images';
import { LEVELS } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { expectNoLeaks } from '@pyramidal/testing';

const [HEIGHT, WIDTH] = [50, 97];
/** Tiles are 240 pixels wide, in the picture's shape. */
const TILE = { width: 240, height: 124 };

const FAMILIES: readonly VariantName[] = [
  'groupmixformer_miny',
  'coat_tiny',
  'coat_lite_tiny',
  'maformer_small',
  'smt_tiny',
];

let folder: string;

beforeAll(async () => {
  await openRuntime();
  folder = mkdtempSync(join(tmpdir(), 'attention-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

it.each(FAMILIES)('draws what %s attends to, level by level', async (name) => {
  const backbone = createBackbone(name, { depths: [1, 1, 2, 1] });
  backbone.initialize(1);
  const pixels = Float32Array.from({ length: HEIGHT * WIDTH * 3 }, (_, i) => Math.sin(0.01 * i));
  await expectNoLeaks(() => drawAttention(backbone, { pixels, height: HEIGHT, width: WIDTH }, join(folder, name)));
  const files = LEVELS.map((level) => `${name}-${level}.jpg`);
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(files));
  for (const file of files) {
    const sheet = await decodeImage(join(folder, file));
    const [plain, tinted] = [0, TILE.width + 4].map((x) => cropImage(sheet, { x, y: 0, ...TILE }));
    expect(meanDifference(plain!, tinted!)).toBeGreaterThan(20);
  }
  backbone.dispose();
});

function meanDifference(a: RgbImage, b: RgbImage): number {
  return a.data.reduce((sum, value, i) => sum + Math.abs(value - b.data[i]!), 0) / a.data.length;
}
