/** COCO files of any size, also beyond the longest string of the JavaScript engine. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { COCO } from '../dataset/coco';
import { readDataset, readEachResult, readJson, readResultList, requireNewKey } from '../dataset/dataset-reader';
import { Detections } from '../dataset/detections';
import { GroundTruth } from '../dataset/ground-truth';
import { ImageTable } from '../dataset/images';
import { ScannedResults } from '../dataset/scanned-results';
import type { CheckedCategory } from '../dataset/rules';
import { CocoFormatError } from '../format/errors';
import type { CocoCategory, IouType } from '../format/types';

const CHUNK_BYTES = 1 << 18;

/** Reads a dataset with all its records. @throws CocoFormatError naming the file and the first record that is wrong. */
export function readCoco(path: string): COCO {
  return new COCO(readDataset(openText(path).pieces, path), { name: path });
}

/** Reads the results of a detector on a dataset. @throws CocoFormatError naming the file and the first that is wrong. */
export function readResults(coco: COCO, path: string): COCO {
  return coco.loadRes(readResultList(openText(path).pieces, path), path);
}

/**
 * Reads the categories of a dataset, which may hold nothing else, and passes over its other records.
 * @throws CocoFormatError naming the file and the first record that is wrong.
 */
export function readCategories(path: string): CheckedCategory[] {
  const categories: CocoCategory[] = [];
  let isListed = false;
  readJson(openText(path).pieces, path, {
    value: () => undefined,
    list: (key) => (isListed ||= key === 'categories'),
    record: (key, record) => key === 'categories' && categories.push(record as CocoCategory),
  });
  if (!isListed) throw new CocoFormatError(`${path}: categories: expected a list, received nothing`);
  return [...new COCO({ images: [], categories }, { name: path }).checkedRecords().categories];
}

/** Reads of a dataset's file what an evaluation needs. @param points how many keypoints an object has. */
export function readGroundTruth(path: string, iouType: IouType, points: number): GroundTruth {
  const { bytes, pieces } = openText(path);
  const truth = new GroundTruth(iouType, new ImageTable(`${path}: `), points, bytes);
  const lists = new Set<string>();
  readJson(pieces, path, {
    value: () => undefined,
    list: (key) => lists.add(requireNewKey(key, lists, path)),
    record: (key, record) => {
      if (key === 'images') truth.images.add(record);
      if (key === 'categories') truth.addCategory(record);
      if (key === 'annotations') truth.addAnnotation(record);
    },
    scan: (key, piece) => truth.scan(key, piece),
  });
  for (const list of ['images', 'categories']) {
    if (!lists.has(list)) throw new CocoFormatError(`${path}: ${list}: expected a list, received nothing`);
  }
  truth.checkMasks();
  return truth;
}

/** Reads of a results file what an evaluation needs. */
export function readDetections(path: string, truth: GroundTruth, points: number): Detections {
  const { bytes, pieces } = openText(path);
  const detections = new Detections(truth.images, truth.iouType, { points, name: path, bytes });
  readEachResult(pieces, path, {
    add: (result) => detections.add(result),
    scan: (piece) => detections.scan(piece),
  });
  return detections;
}

/** Reads results before their images are known, if all of them are plain: else undefined, and `readDetections` says what is wrong. */
export function readPlainResults(path: string, iouType: IouType): ScannedResults | undefined {
  const add = (): never => {
    throw new CocoFormatError(`${path}: expected plain results`);
  };
  try {
    const { bytes, pieces } = openText(path);
    const results = new ScannedResults(iouType, bytes);
    readEachResult(pieces, path, { add, scan: (piece) => results.scan(piece) });
    return results;
  } catch {
    return undefined; // whatever it was, it comes again
  }
}

/** A file as text. */
interface FileText {
  /** How long it is. */
  readonly bytes: number;
  /** Its bytes; each piece is valid until the next one is read. Reading them closes the file. */
  readonly pieces: Generator<Uint8Array>;
}

/** How long a file is. @throws Error in one line if it cannot be read. */
export function bytesOf(path: string): number {
  return ofFile(path, (bytes) => bytes);
}

function openText(path: string): FileText {
  return ofFile(path, (bytes) => ({ bytes, pieces: piecesOf(openSync(path, 'r')) }));
}

/** Pipes and devices are refused, for they may never end, and threads read a file once each. */
function ofFile<T>(path: string, open: (bytes: number) => T): T {
  try {
    const kind = statSync(path);
    if (kind.isFile()) return open(kind.size);
    throw new CocoFormatError(
      `${path}: expected a file, received a ${kind.isDirectory() ? 'folder' : 'pipe or device'}`,
    );
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw Object.assign(new Error(`${path}: ${REASONS[code] ?? `cannot be read (${code})`}`, { cause: error }), {
      code,
    });
  }
}

function* piecesOf(file: number): Generator<Uint8Array> {
  try {
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (let size = readSync(file, chunk); size > 0; size = readSync(file, chunk)) yield chunk.subarray(0, size);
  } finally {
    closeSync(file);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'no permission to read it',
  EPERM: 'no permission to read it',
  ELOOP: 'too many links',
};
