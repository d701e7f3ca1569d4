import { closeSync, openSync, readSync } from 'node:fs';
import { COCO } from '../dataset/coco';
import { Detections } from '../dataset/detections';
import { CocoFormatError } from '../format/errors';
import { GroundTruth } from '../dataset/ground-truth';
import { ImageTable, type Owns } from '../dataset/images';
import { JsonRecords, type JsonSink } from '../dataset/json-records';
import type { CheckedCategory } from '../dataset/rules';
import type { CocoCategory, CocoDataset, CocoResult, IouType } from '../format/types';

const CHUNK_BYTES = 1 << 20;

/** Reads a JSON file of any size, also beyond the longest string of the JavaScript engine. */
export function readJsonFile(path: string, sink: JsonSink): void {
  const file = openSync(path, 'r');
  try {
    const reader = new JsonRecords(sink, path);
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (let size = readSync(file, chunk); size > 0; size = readSync(file, chunk)) reader.push(chunk.subarray(0, size));
    reader.end();
  } finally {
    closeSync(file);
  }
}

/** Reads a dataset with all its records. */
export function readCoco(path: string): COCO {
  const fields: Record<string, unknown> = {};
  readJsonFile(path, {
    value: (key, value) => (fields[key] = value),
    records: (key, elements) => {
      const list = (fields[requireKey(key, path)] ??= []) as unknown[];
      for (const element of elements) list.push(element);
    },
  });
  return new COCO(fields as unknown as CocoDataset, { name: path });
}

/**
 * Reads the categories of a dataset, which may hold nothing else, and passes over its other records.
 * @throws CocoFormatError naming the file and the first record that breaks the format.
 */
export function readCategories(path: string): CheckedCategory[] {
  const categories: CocoCategory[] = [];
  readJsonFile(path, {
    value: () => undefined,
    records: (key, elements) => {
      if (requireKey(key, path) === 'categories') categories.push(...(elements as CocoCategory[]));
    },
  });
  return [...new COCO({ images: [], categories }, { name: path }).checkedRecords().categories];
}

/** Reads the results of a detector on a dataset. */
export function readResults(coco: COCO, path: string): COCO {
  const results: CocoResult[] = [];
  readResultFile(path, (result) => results.push(result as CocoResult));
  return coco.loadRes(results);
}

/** Reads of a dataset's file what the evaluation of some images needs. */
export function readGroundTruth(path: string, iouType: IouType, points: number, owns: Owns): GroundTruth {
  const truth = new GroundTruth(iouType, new ImageTable(`${path}: `), points, owns);
  const lists = new Set<string>();
  readJsonFile(path, {
    value: () => undefined,
    records: (key, elements) => {
      lists.add(requireKey(key, path));
      if (key === 'images') for (const image of elements) truth.images.add(image);
      if (key === 'categories') for (const category of elements) truth.addCategory(category);
      if (key === 'annotations') for (const annotation of elements) truth.addAnnotation(annotation);
    },
  });
  for (const list of ['images', 'categories']) {
    if (!lists.has(list)) throw new CocoFormatError(`${path}: ${list}: expected a list, received nothing`);
  }
  truth.checkMasks();
  return truth;
}

/** Reads of a results file what the evaluation of some images needs. */
export function readDetections(path: string, truth: GroundTruth, points: number, owns: Owns): Detections {
  const detections = new Detections(truth.images, truth.iouType, points, path, owns);
  readResultFile(path, (result) => detections.add(result));
  return detections;
}

function requireKey(key: string | null, path: string): string {
  if (key === null)
    throw new CocoFormatError(`${path}: expected an object with images and annotations, received a list`);
  return key;
}

function readResultFile(path: string, add: (result: unknown) => void): void {
  let isList = false;
  const refuse = (): never => {
    throw new CocoFormatError(`${path}: expected a list of results, received an object`);
  };
  readJsonFile(path, {
    value: refuse,
    records: (key, elements) => {
      isList ||= key === null;
      if (!isList) refuse();
      elements.forEach(add);
    },
  });
  if (!isList) refuse();
}
