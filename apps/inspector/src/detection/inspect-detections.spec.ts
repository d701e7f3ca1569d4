/** The inspector's numbers against those of the evaluation; filters against plain loops over the records. */
import {
  type CocoDataset,
  type CocoResult,
  confusionMatrix,
  COCO,
  errorBreakdown,
  evaluateDetections,
} from '@cocoeval/ts';
import type { DetectionImage } from '../protocol';
import { toInspect, toySet } from '../testing/toy-set';
import { KINDS } from './filter';
import { inspectDetections } from './inspect-detections';

const set = toySet(30);
const coco = new COCO(set.dataset);
const inspected = inspectDetections(toInspect(set, '/nowhere', 2));
const select = (query = '') => inspected.select(new URLSearchParams(query));
const details = Array.from({ length: 30 }, (_, i) => inspected.image(i, true) as DetectionImage);

describe('a run in numbers', () => {
  const [first] = inspected.about.runs;

  it('has those that eval writes to metrics.json', () => {
    expect(first!.metrics).toEqual(evaluateDetections(coco, set.results[0]).metrics);
    expect(inspected.about.runs[1]!.metrics['AP']).toBe(1);
  });

  it('has the errors of the breakdown, every kind of them', () => {
    const { counts, gains } = errorBreakdown(coco, set.results[0]);
    expect(first!.counts).toMatchObject(counts);
    expect(first!.gains).toEqual(gains);
    for (const kind of ['localization', 'similarClass', 'otherClass', 'duplicate', 'background', 'missed'] as const) {
      expect(counts[kind]).toBeGreaterThan(0);
    }
    expect(KINDS.reduce((sum, kind) => sum + (kind === 'missed' ? 0 : first!.counts![kind]), 0)).toBe(
      set.results[0].length,
    );
  });

  it('has the confusion matrix, and every cell leads to as many pairs as it counts', () => {
    const { counts } = confusionMatrix(coco, set.results[0], { minScore: 0.3 });
    for (const [row, column, count] of first!.confusion) {
      expect(count).toBe(counts[row]![column]);
      const { images, counts: found } = select(`cell=${row}:${column}`);
      expect(found['pairs']).toBe(count);
      const pairs = images.flatMap((i) => details[i]!.runs[0]!.pairs.filter(([r, c]) => r === row && c === column));
      expect(pairs).toHaveLength(count);
    }
    expect(first!.confusion.reduce((sum, [, , count]) => sum + count, 0)).toBe(counts.flat().reduce((a, b) => a + b));
  });

  it('has the curve of each class', () => {
    const report = evaluateDetections(coco, set.results[0]);
    expect(inspected.curve!(new URLSearchParams('class=1'))).toEqual(report.curve({ iou: 0.5, categoryId: 20 }));
  });
});

describe('an image', () => {
  it('is told with its objects, detections and what became of them', () => {
    const { images } = errorBreakdown(coco, set.results[0]);
    for (const [i, { objects, runs }] of details.entries()) {
      const found = images[i]!.detections.map(({ outcome, iou, score }) => [outcome, iou, score]).sort();
      expect(runs[0]!.detections.map(({ kind, iou, score }) => [kind, iou, score]).sort()).toEqual(found);
      expect(runs[0]!.missed.map((place) => objects[place]!.id)).toEqual(images[i]!.missed);
      expect(objects.map(({ id }) => id)).toEqual(coco.annotationsOf(100 + i).map(({ id }) => id));
    }
    expect(details[0]!.objects[0]!.mask).toEqual(coco.annToRLE(coco.annotation(1)!));
  });

  it('names the object that each detection is about', () => {
    const { objects, runs } = details[5]!;
    const [match] = runs[0]!.detections.filter(({ kind }) => kind === 'match');
    expect(objects[match!.object]!.box).toEqual(match!.box);
  });
});

describe('a filter', () => {
  it('lets all images through unless it asks for something', () => {
    expect(select().images).toEqual([...details.keys()]);
  });

  it.each(['localization', 'otherClass', 'duplicate', 'background', 'match'])('finds the images with %s', (kind) => {
    const { images, counts } = select(`kind=${kind}&minScore=0`);
    const expected = details.filter(({ runs }) => runs[0]!.detections.some((one) => one.kind === kind));
    expect(images).toEqual(expected.map(({ index }) => index));
    expect(counts).toEqual({ [kind]: inspected.about.runs[0]!.counts![kind as 'match'] });
  });

  it('finds missed objects, crowds, sizes and classes', () => {
    const missed = details.filter(({ runs }) => runs[0]!.missed.length > 0).map(({ index }) => index);
    expect(select('kind=missed').images).toEqual(missed);
    expect(select('crowd=only').images).toEqual([0, 5, 10, 15, 20, 25]);
    expect(select('size=large').images).toEqual([]);
    const dogs = select('class=1&kind=missed').images;
    const expected = details.filter(({ objects, runs }) =>
      runs[0]!.missed.some((place) => objects[place]!.label === 1),
    );
    expect(dogs).toEqual(expected.map(({ index }) => index));
  });

  it('takes ranges of scores and overlaps', () => {
    const { images } = select('minScore=0.5&maxScore=0.6&minIou=0.2&maxIou=0.9');
    const passes = ({ score, iou }: { score: number; iou: number }) =>
      score >= 0.5 && score <= 0.6 && iou >= 0.2 && iou <= 0.9;
    expect(images.length).toBeGreaterThan(0);
    expect(images).toEqual(details.filter(({ runs }) => runs[0]!.detections.some(passes)).map(({ index }) => index));
  });

  it('orders by errors, and by what changed between the runs', () => {
    const errors = ({ objects, runs }: DetectionImage, run: number) => {
      const sure = runs[run]!.detections.filter(({ score, kind }) => score >= 0.3 && kind !== 'ignored');
      const found = sure.filter(({ kind }) => kind === 'match').length;
      return sure.length - found + objects.filter(({ crowd }) => !crowd).length - found;
    };
    const worst = select('order=errors').images.map((i) => errors(details[i]!, 0));
    expect(worst).toEqual([...worst].sort((a, b) => b - a));
    const change = select('order=changed&run=1').images.map((i) => errors(details[i]!, 0) - errors(details[i]!, 1));
    expect(change.map(Math.abs)).toEqual(change.map(Math.abs).sort((a, b) => b - a));
  });

  it.each([
    ['score=1', /expected run, class, .*, received 'score'/],
    ['class=3', /class: expected a whole number below 3, received '3'/],
    ['minScore=2', /minScore: expected a number from 0 to 1, received '2'/],
    ['kind=wrong', /kind: expected match, .*, received 'wrong'/],
    ['cell=1', /cell: expected ROW:COLUMN, received '1'/],
    ['cell=1:4', /cell: expected a whole number below 4, received '4'/],
    ['run=2', /run: expected a whole number below 2/],
    ['crowd=__proto__', /crowd: expected any, only, none/],
    [`order=${'x'.repeat(10_000)}`, /^order: .{0,200}$/],
  ])('is refused where it is none: %s', (query, message) => {
    expect(() => select(query)).toThrow(message);
  });
});

describe('a selection that is saved', () => {
  it('is a data set with all annotations of its images, and a results file of what passes', () => {
    const query = new URLSearchParams('kind=background&minScore=0.5');
    const saved = inspected.exports['annotations']!(query) as CocoDataset;
    const ids = select(String(query)).images.map((i) => 100 + i);
    expect(ids.length).toBeGreaterThan(0);
    expect(saved.images).toEqual(ids.map((id) => coco.image(id)));
    expect(saved.annotations).toEqual(ids.flatMap((id) => coco.annotationsOf(id)));
    expect(saved.categories).toEqual(set.dataset.categories);
    const results = inspected.exports['detections']!(query) as CocoResult[];
    expect(results.length).toBe(select(String(query)).counts['background']);
    for (const result of results) expect(set.results[0]).toContainEqual(result);
    expect(() => evaluateDetections(saved, results)).not.toThrow();
  });
});

it('is a data set alone without runs', () => {
  const alone = inspectDetections(toInspect(set, '/nowhere', 0));
  expect(alone.about.runs).toEqual([]);
  expect(alone.select(new URLSearchParams('class=2&size=small')).images.length).toBeGreaterThan(0);
  expect(alone.exports['detections']!(new URLSearchParams())).toEqual([]);
  expect(() => alone.curve!(new URLSearchParams())).toThrow(/run: expected/);
});
