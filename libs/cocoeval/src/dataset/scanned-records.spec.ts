/** Records that are read straight from bytes give the same columns, and the same errors, as records that were parsed. */
import fc from 'fast-check';
import type { IouType } from '../format/types';
import { readEachResult, readJson } from './dataset-reader';
import { Detections } from './detections';
import { GroundTruth } from './ground-truth';
import { ImageTable } from './images';

const IMAGES = [
  { id: 1, height: 2, width: 3 },
  { id: 2, height: 4, width: 5 },
];

function table(): ImageTable {
  const images = new ImageTable();
  for (const image of IMAGES) images.add(image);
  return images;
}

/** The text in pieces of a size, as a file is read. */
function* pieces(text: string, size: number): Generator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

/** Everything in the columns of a table, or the error. */
function outcome(read: () => object): unknown {
  return answer(() => plain(read(), WORK_SPACE));
}

/** What is read, or the error. */
function answer(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return (error as Error).message;
  }
}

/** What a table keeps between two records, of which nothing is left when it is read. */
const WORK_SPACE = ['scanner', 'scratch', 'runs', 'room'];

function plain(value: object, without = ['rasteriser', 'runs']): unknown {
  const columns = Object.entries(value).filter(([name]) => !without.includes(name));
  return columns.map(([name, column]: [string, unknown]) => {
    if (typeof column !== 'object' || column === null) return [name, column];
    if ('values' in column && 'data' in column) return [name, [...(column as { values(): Iterable<number> }).values()]];
    return [name, name === 'segmentations' ? plain(column) : column instanceof Set ? [...column] : undefined];
  });
}

interface How {
  readonly iouType: IouType;
  readonly size: number;
  readonly scans: boolean;
}

function results(text: string, { iouType, size, scans }: How): unknown {
  return outcome(() => {
    const detections = new Detections(table(), iouType, { name: 'dt.json' });
    const scan = scans ? detections.scan.bind(detections) : undefined;
    readEachResult(pieces(text, size), 'dt.json', { add: (result) => detections.add(result), scan });
    return detections;
  });
}

function annotations(text: string, { iouType, size, scans }: How): unknown {
  return outcome(() => {
    const truth = new GroundTruth(iouType, table());
    readJson(pieces(`{"annotations": ${text}}`, size), 'gt.json', {
      value: () => undefined,
      list: () => undefined,
      record: (_, record) => truth.addAnnotation(record),
      scan: scans ? (key, bytes) => truth.scan(key, bytes) : undefined,
    });
    truth.checkMasks();
    return truth;
  });
}

function images(text: string, { size, scans }: Pick<How, 'size' | 'scans'>): unknown {
  const truth = new GroundTruth('bbox', new ImageTable('gt.json: '));
  return answer(() => {
    readJson(pieces(`{"images": ${text}}`, size), 'gt.json', {
      value: () => undefined,
      list: () => undefined,
      record: (_, record) => truth.images.add(record),
      scan: scans ? (key, bytes) => truth.scan(key, bytes) : undefined,
    });
    const { ids, federations } = truth.images;
    return { ids, federations, sizes: ids.map((_, i) => answer(() => truth.images.requireSize(i))) };
  });
}

/** Mostly right, sometimes not. */
const mostly = <T>(right: fc.Arbitrary<T>, ...odd: unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: right }, { weight: 1, arbitrary: fc.constantFrom(undefined, null, 'x', ...odd) });

const coordinate = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.double({ min: 0, max: 9, noNaN: true }));
const box = mostly(fc.array(coordinate, { minLength: 4, maxLength: 4 }), [], [1, 2, 3], [1, 2, -3, 4], [1, 2, 3, null]);
const rle = fc.constantFrom<object>(
  { size: [2, 3], counts: [2, 4] },
  { size: [4, 5], counts: '5?' },
  { counts: '04\\2', size: [2, 3] },
  { size: [2, 3], counts: [] },
  { size: [2, 3], counts: 'é' },
  { size: [2, 3], counts: [1, 1.5] },
  { size: [2, 3], counts: [6], counts2: 0 },
);
const polygon = fc.array(coordinate, { minLength: 3, maxLength: 8 });
const segmentation = mostly(fc.oneof(rle, fc.array(polygon, { maxLength: 3 })), { size: [2], counts: [6] }, [[]]);
const record = fc.record({
  id: mostly(fc.integer({ min: 0, max: 1000 }), 1.5, 2 ** 60),
  image_id: mostly(fc.constantFrom(1, 2), 3, '1'),
  category_id: mostly(fc.constantFrom(1, 7), 0.5),
  score: mostly(fc.double({ noNaN: true, noDefaultInfinity: true })),
  area: mostly(fc.double({ min: 0, max: 1e6, noNaN: true }), -1),
  iscrowd: mostly(fc.constantFrom(0, 1), true, 2, '0'),
  bbox: box,
  segmentation,
  note: fc.constantFrom<unknown>(undefined, 'plain', 'ü\n', { deep: [[], {}] }),
});
const text = fc
  .tuple(fc.array(record, { maxLength: 5 }), fc.constantFrom(0, 2))
  .map(([records, indent]) => JSON.stringify(records, null, indent));
const how = fc.record({
  iouType: fc.constantFrom<IouType>('bbox', 'segm'),
  size: fc.constantFrom(1, 7, 64, 4096),
});

describe('records read straight from bytes', () => {
  it.each([
    ['results', results],
    ['annotations', annotations],
  ])('%s: the same columns or the same error as parsed ones', (_, read) => {
    fc.assert(
      fc.property(text, how, (json, options) => {
        expect(read(json, { ...options, scans: true })).toEqual(read(json, { ...options, scans: false }));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['results', results],
    ['annotations', annotations],
  ])('%s: a text that ends too early is found wherever that is', (_, read) => {
    const right = { id: 1, image_id: 1, category_id: 1, score: 0.5, area: 4, bbox: [0, 0, 2, 2] };
    const json = JSON.stringify([right, { ...right, id: 2 }]);
    for (const size of [1, 50, 4096]) {
      const options: How = { iouType: 'bbox', size, scans: true };
      for (let end = 1; end < json.length; end++) {
        const cut = json.slice(0, end);
        expect(read(cut, options)).toEqual(read(cut, { ...options, scans: false }));
      }
    }
  });

  it('images: the same table or the same error as parsed ones', () => {
    const side = mostly(fc.integer({ min: 1, max: 2000 }), 0, -1, 1.5, 2 ** 20, 2 ** 60);
    const image = fc.record({
      id: mostly(fc.integer({ min: 0, max: 1000 }), 1.5, 2 ** 60),
      width: side,
      height: side,
      file_name: fc.constantFrom<unknown>('a.jpg', 'a\\b.jpg', 'ü.jpg', undefined),
      neg_category_ids: fc.constantFrom<unknown>(undefined, undefined, undefined, [1, 2], [], 'x'),
      not_exhaustive_category_ids: fc.constantFrom<unknown>(undefined, undefined, undefined, [3]),
    });
    const list = fc
      .tuple(fc.array(image, { maxLength: 6 }), fc.constantFrom(0, 2))
      .map(([records, indent]) => JSON.stringify(records, null, indent));
    fc.assert(
      fc.property(list, fc.constantFrom(1, 7, 64, 4096), (json, size) => {
        expect(images(json, { size, scans: true })).toEqual(images(json, { size, scans: false }));
      }),
      { numRuns: 500 },
    );
  });

  it('are scanned in fact, where they are plain', () => {
    const detections = new Detections(table(), 'segm');
    const add = jest.fn();
    const plainResults = [{ image_id: 1, category_id: 1, segmentation: { size: [2, 3], counts: [2, 4] }, score: 0.5 }];
    const scan = detections.scan.bind(detections);
    readEachResult(pieces(JSON.stringify(plainResults), 1000), 'dt.json', { add, scan });
    expect([add.mock.calls.length, detections.length, detections.areas.get(0)]).toEqual([0, 1, 4]);
    const truth = new GroundTruth('keypoints');
    const bytes = new TextEncoder().encode(JSON.stringify(IMAGES).slice(1));
    expect(truth.scan('images', bytes)).toEqual({ count: 2, end: bytes.length - 1, stop: 'end' });
    expect([truth.images.ids, truth.images.hasSize(1, [4, 5])]).toEqual([[1, 2], true]);
  });

  it('are scanned also behind one that is not plain, however long they are', () => {
    const note = { unusual: '\u00fc', long: 'x'.repeat(10_000), longer: 'x'.repeat(300_000) };
    const right = { image_id: 1, category_id: 1, bbox: [0, 0, 2, 2], score: 0.5 };
    const lists = [
      ['unusual', 'long'],
      ['unusual', 'longer'],
      ['long', 'unusual', 'longer', 'long', 'long'],
    ] as const;
    for (const list of lists) {
      const json = JSON.stringify(list.map((kind) => ({ ...right, note: note[kind] })));
      for (const size of [1000, 1 << 20]) {
        const options: How = { iouType: 'bbox', size, scans: true };
        expect(results(json, options)).toEqual(results(json, { ...options, scans: false }));
      }
    }
  });

  it.each(['[{}, ]', '[, {}]', '[{},,{}]'])('commas without an element between are an error: %s', (list) => {
    const options: How = { iouType: 'bbox', size: 100, scans: true };
    const filled = list.replaceAll('{}', '{"image_id":1,"category_id":1,"bbox":[1,1,1,1],"score":1}');
    expect(results(filled, options)).toMatch(/^dt\.json\[\d\]: expected a JSON value, received '[\],]' at byte \d+$/);
  });
});
