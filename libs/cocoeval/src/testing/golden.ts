/** Answers of pycocotools that specs compare with. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { CocoDataset, CocoResult, IouType } from '../format/types';

/** Answers of pycocotools 2.0.11: the cases kept here, and all of them where `PYRAMIDAL_GOLDEN` (or its default) exists. */

const OWN = join(__dirname, '../../fixtures');
const WORKSPACE = join(__dirname, '../../../..');
export const GOLDEN = resolve(WORKSPACE, process.env['PYRAMIDAL_GOLDEN'] ?? '../shared/golden', 'cocoeval');

export interface PackedArray {
  readonly shape: number[];
  readonly sha256: string;
  readonly gzipBase64: string;
}

export interface IndexEntry {
  readonly name: string;
  readonly file: string;
  readonly gt: string;
  readonly dt: string;
  readonly iouType: IouType;
}

export interface Case extends IndexEntry {
  readonly params: Record<string, unknown>;
  readonly stats: number[] | null;
  readonly statsError?: string;
  readonly counts: number[];
  readonly evalImgsCount: number;
  readonly evalImgsNull: number;
  readonly precision: PackedArray;
  readonly recall: PackedArray;
  readonly scores: PackedArray;
  readonly apPerCategory?: number[];
  readonly evalImgs?: unknown[];
  readonly ious?: readonly IouRecord[];
  readonly iouSamples?: readonly IouRecord[];
  readonly matchesFirstIouFirstArea?: readonly (readonly number[])[];
}

export interface IouRecord {
  readonly imageId: number;
  readonly categoryId: number;
  readonly iou: number[][];
}

export interface GoldenCase {
  readonly name: string;
  readonly root: string;
  readonly entry: IndexEntry;
}

export function readJson<T>(root: string, path: string): T {
  return JSON.parse(readFileSync(resolve(root, path), 'utf8')) as T;
}

export function goldenExists(): boolean {
  return existsSync(join(GOLDEN, 'index.json'));
}

export function hasData(c: GoldenCase): boolean {
  return existsSync(resolve(c.root, c.entry.gt));
}

/** The cases of this package, or all if they are there. */
export function goldenCases(): GoldenCase[] {
  const root = goldenExists() ? GOLDEN : OWN;
  return readJson<IndexEntry[]>(root, 'index.json').map((entry) => ({ name: entry.name, root, entry }));
}

export function loadCase(c: GoldenCase): { expected: Case; gt: CocoDataset; dt: CocoResult[] } {
  const expected = readJson<Case>(c.root, c.entry.file);
  return { expected, gt: readJson(c.root, expected.gt), dt: readJson(c.root, expected.dt) };
}

export function unpack(array: PackedArray): Float64Array {
  const bytes = gunzipSync(Buffer.from(array.gzipBase64, 'base64'));
  return new Float64Array(new Uint8Array(bytes).buffer);
}

export function sha256(values: Float64Array): string {
  return createHash('sha256')
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest('hex');
}
