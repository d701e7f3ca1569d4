import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Uint32Column } from '../format/columns';
import * as mask from './mask';
import { packCounts, runsArea, runsBox, spanOf, unpackCounts } from './rle';
import type { Rle } from '../format/types';

interface Expected extends Rle {
  readonly runs: number[];
  readonly area: number;
  readonly bbox: number[];
  readonly rowMajorSha256?: string;
  readonly decodedRows?: number[][];
  readonly reencoded?: string;
}

interface MaskCase {
  readonly op: string;
  readonly name: string;
  readonly h: number;
  readonly w: number;
  readonly [field: string]: unknown;
}

const file = join(__dirname, '../../fixtures/mask/cases.json');
const cases = (JSON.parse(readFileSync(file, 'utf8')) as { cases: MaskCase[] }).cases;

const ofKind = (op: string): [string, MaskCase][] => cases.filter((c) => c.op === op).map((c) => [c.name, c]);

function expectMask(rle: Rle, expected: Expected): void {
  expect(rle).toEqual({ size: expected.size, counts: expected.counts });
  expect(mask.area(rle)).toBe(expected.area);
  expect(mask.toBbox(rle)).toEqual(expected.bbox);
  if (expected.runs)
    expect(mask.fromUncompressed({ size: rle.size, counts: expected.runs }).counts).toBe(expected.counts);
  if (expected.rowMajorSha256) {
    const { data } = mask.decode(rle);
    expect(createHash('sha256').update(data).digest('hex')).toBe(expected.rowMajorSha256);
  }
}

/** Runs that leave the last pixel out: refused by `mask`, while the arithmetic below it gives pycocotools' answers. */
function expectShortRuns(c: MaskCase, expected: Expected): void {
  const runs = Uint32Array.from(c['runs'] as number[]);
  expect(packCounts(runs)).toBe(expected.counts);
  const unpacked = new Uint32Column();
  unpackCounts(expected.counts, unpacked);
  expect([...unpacked.values()]).toEqual(expected.runs);
  expect(runsArea(spanOf(runs))).toBe(expected.area);
  const box = new Float64Array(4);
  runsBox(spanOf(runs), c.h, box);
  expect([...box]).toEqual(expected.bbox);
  expect(() => mask.fromUncompressed({ size: [c.h, c.w], counts: [...runs] })).toThrow('sum to 20000 x 20000 pixels');
}

function rowsOf(rle: Rle): number[][] {
  const { data, height, width } = mask.decode(rle);
  return Array.from({ length: height }, (_, y) => [...data.subarray(y * width, (y + 1) * width)]);
}

describe('mask, against pycocotools 2.0.11', () => {
  it('has every kind of case', () => {
    expect(new Set(cases.map((c) => c.op)).size).toBe(8);
    expect(cases).toHaveLength(393);
  });

  it.each(ofKind('mask'))('encodes and decodes: %s', (_, c) => {
    const bits = Buffer.from(c['maskBits'] as string, 'base64');
    const data = Uint8Array.from({ length: c.h * c.w }, (__, i) => ((bits[i >> 3] as number) >> (7 - (i & 7))) & 1);
    expectMask(mask.encode({ height: c.h, width: c.w, data }), c['expect'] as Expected);
  });

  it.each(ofKind('maskValues'))('encodes %s', (_, c) => {
    const rle = mask.encode(c['maskRows'] as number[][]);
    expectMask(rle, c['expect'] as Expected);
    expect(rowsOf(rle)).toEqual((c['expect'] as Expected).decodedRows);
  });

  it.each(ofKind('uncompressed'))('packs runs: %s', (_, c) => {
    const expected = c['expect'] as Expected;
    if (c.name.startsWith('big image')) return expectShortRuns(c, expected);
    const rle = mask.frPyObjects({ size: [c.h, c.w], counts: c['runs'] as number[] }, c.h, c.w);
    expectMask(rle, expected);
    if (expected.decodedRows) expect(rowsOf(rle)).toEqual(expected.decodedRows);
    if (expected.reencoded) expect(mask.encode(mask.decode(rle)).counts).toBe(expected.reencoded);
  });

  it.each(ofKind('merge'))('merges: %s', (_, c) => {
    const rles = c['rles'] as Rle[];
    const expected = c['expect'] as Record<string, Expected>;
    if (c.name.startsWith('different sizes')) {
      expect(() => mask.merge(rles)).toThrow('merge: masks[1]: size: expected [20,20], received [20,21]');
      return;
    }
    const checks = Object.entries(expected);
    expect(checks.length).toBeGreaterThan(0);
    for (const [kind, answer] of checks) {
      const merged = mask.merge(rles, kind === 'intersection');
      if (rles.length === 0) expect(merged).toEqual(answer);
      else expectMask(merged, answer);
    }
  });

  it.each([...ofKind('iouMasks'), ...ofKind('iouBoxes')])('iou: %s', (_, c) => {
    expect(mask.iou(c['dt'] as Rle[], c['gt'] as Rle[], c['iscrowd'] as number[])).toEqual(c['expect']);
  });

  it.each(ofKind('polygons'))('rasterises polygons: %s', (_, c) => {
    const expected = c['expect'] as { error?: string; parts: Expected[]; merged: Expected };
    const polygons = c['polygons'] as number[][];
    if (expected.error) {
      expect(() => mask.frPyObjects(polygons, c.h, c.w)).toThrow(/^fromPolygons: segmentation/);
      return;
    }
    const parts = mask.frPyObjects(polygons, c.h, c.w);
    expect(parts).toHaveLength(expected.parts.length);
    parts.forEach((part, i) => expectMask(part, expected.parts[i] as Expected));
    expectMask(mask.merge(parts), expected.merged);
    expectMask(mask.fromSegmentation(polygons, c.h, c.w), expected.merged);
  });

  it.each(ofKind('boxesToMasks'))('rasterises boxes: %s', (_, c) => {
    const expected = c['expect'] as Expected[];
    const rles = mask.fromBoxes(c['boxes'] as number[][], c.h, c.w);
    expect(rles).toHaveLength(expected.length);
    rles.forEach((rle, i) => expectMask(rle, expected[i] as Expected));
  });
});
