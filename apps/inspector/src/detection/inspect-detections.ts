/** A data set in COCO's format, with what any number of runs found in it. */
import type { COCO, CocoDataset, CocoResult } from '@cocoeval/ts';
import type { DecodeOptions } from '@pyramidal/images';
import { ERROR_MEANINGS } from '@pyramidal/report';
import { rowsOf } from '../grouped';
import type { Inspected, PictureFile } from '../inspected';
import type { ClassAbout, Curve, DetectionImage, Pair, Selection } from '../protocol';
import { QueryError, readIndex, requireKnown } from '../query';
import { type DetectionFilter, KINDS, letsAllThrough, passesDetection, passesObject, readFilter } from './filter';
import { ObjectColumns, type Places } from './object-columns';
import { type DetectionRun, RunColumns } from './run-columns';

export interface DetectionsToInspect {
  readonly title: string;
  readonly coco: COCO;
  /** Those that are looked at. */
  readonly images: readonly {
    readonly id: number;
    readonly file: string;
    readonly width: number;
    readonly height: number;
  }[];
  /** By label. */
  readonly classes: readonly (ClassAbout & { readonly categoryId: number })[];
  /** None, one, or two to compare. */
  readonly runs: readonly DetectionRun[];
  readonly decode: DecodeOptions;
}

/**
 * Matches detections and objects once, as evaluation does, and keeps columns of them.
 * @throws CocoFormatError for what evaluation would refuse.
 */
export function inspectDetections(set: DetectionsToInspect): Inspected {
  const inspected = new InspectedDetections(set);
  return {
    about: inspected.about,
    select: (query) => inspected.select(query),
    image: (index, hasMasks) => inspected.image(index, hasMasks),
    picture: (index) => inspected.picture(index),
    curve: (query) => inspected.curve(query),
    exports: {
      annotations: (query) => inspected.annotations(query),
      detections: (query) => inspected.detections(query),
    },
  };
}

class InspectedDetections {
  readonly about: Inspected['about'];
  /** Without the runs' records, of which there are columns. */
  private readonly set: Pick<DetectionsToInspect, 'coco' | 'images' | 'classes' | 'decode'>;
  private readonly objects: ObjectColumns;
  private readonly runs: readonly RunColumns[];

  constructor({ title, runs, ...set }: DetectionsToInspect) {
    const { coco, images, classes } = set;
    this.set = set;
    const places: Places = {
      images: new Map(images.map(({ id }, index) => [id, index])),
      labels: new Map(classes.map(({ categoryId }, label) => [categoryId, label])),
    };
    this.objects = new ObjectColumns(coco, places);
    this.runs = runs.map((run) => new RunColumns(coco, this.objects, places, run));
    this.about = {
      title,
      task: 'detection',
      classes: classes.map(({ name, colour }) => ({ name, colour })),
      images: images.length,
      runs: this.runs.map(({ about }) => about),
      meanings: ERROR_MEANINGS,
    };
  }

  select(query: URLSearchParams): Selection {
    const filter = this.read(query);
    const counts: Record<string, number> = {};
    const images = this.set.images.flatMap((_, index) => (this.passes(index, filter, counts) ? [index] : []));
    return { images: this.ordered(images, filter), counts: inOrder(counts) };
  }

  image(index: number, hasMasks: boolean): DetectionImage {
    const { file, width, height } = this.set.images[index]!;
    const size = { width, height };
    const masked = hasMasks ? size : undefined;
    const first = this.objects.starts[index]!;
    const own = rowsOf(this.objects.starts, index);
    return {
      task: 'detection',
      index,
      name: this.nameOf(index, file),
      ...size,
      objects: own.map((row) => this.objects.details(row, masked)),
      runs: this.runs.map((run) => ({
        detections: rowsOf(run.starts, index).map((row) => run.details(row, first, masked)),
        missed: own.filter((row) => run.missed[row] === 1).map((row) => row - first),
        pairs: pairsOf(run, index, first),
      })),
    };
  }

  picture(index: number): PictureFile {
    return { file: this.set.images[index]!.file, decode: this.set.decode };
  }

  curve(query: URLSearchParams): Curve {
    requireKnown(query, ['run', 'class']);
    const run = this.runs[readIndex(query, 'run', this.runs.length) ?? 0];
    const label = readIndex(query, 'class', this.set.classes.length);
    if (run === undefined) throw new QueryError('run: expected a run, received a data set without any');
    return run.report.curve({ iou: 0.5, ...(label !== undefined && { categoryId: this.categoryId(label) }) });
  }

  /** The selected images with all of their annotations, as a data set. */
  annotations(query: URLSearchParams): CocoDataset {
    const { coco, images } = this.set;
    const selected = this.select(query).images.map((index) => images[index]!.id);
    return {
      ...(coco.dataset['info'] !== undefined && { info: coco.dataset['info'] }),
      ...(coco.dataset['licenses'] !== undefined && { licenses: coco.dataset['licenses'] }),
      categories: coco.categories,
      images: selected.map((id) => coco.image(id)!),
      annotations: selected.flatMap((id) => coco.annotationsOf(id)),
    };
  }

  /** What the run found in the selected images and passes the filter, as a results file has it. */
  detections(query: URLSearchParams): CocoResult[] {
    const filter = this.read(query);
    const run = this.runs[filter.run];
    if (run === undefined) return [];
    return this.select(query).images.flatMap((index) => {
      const rows = filter.cell === undefined ? this.passing(run, index, filter) : paired(run, index, filter.cell);
      const image_id = this.set.images[index]!.id;
      return rows.map((row) => run.result(row, { image_id, category_id: this.categoryId(run.labels[row]!) }));
    });
  }

  private read(query: URLSearchParams): DetectionFilter {
    return readFilter(query, { classes: this.set.classes.length, runs: this.runs.length });
  }

  /** Whether something of an image passes; `counts` tells what. */
  private passes(index: number, filter: DetectionFilter, counts: Record<string, number>): boolean {
    const count = (name: string): void => void (counts[name] = (counts[name] ?? 0) + 1);
    const run = this.runs[filter.run];
    if (filter.cell !== undefined) {
      const pairs = run?.pairs.in(filter.cell, index).length ?? 0;
      for (let i = 0; i < pairs; i++) count('pairs');
      return pairs > 0;
    }
    const found = run === undefined ? [] : this.passing(run, index, filter);
    for (const row of found) count(run!.kindOf(row));
    let objects = 0;
    for (const row of rowsOf(this.objects.starts, index)) {
      const missed = run?.missed[row] === 1;
      if (!passesObject(filter, this.filteredObject(row, missed))) continue;
      objects++;
      count('objects');
      if (missed) count('missed');
    }
    return found.length + objects > 0 || letsAllThrough(filter);
  }

  private passing(run: RunColumns, index: number, filter: DetectionFilter): number[] {
    return rowsOf(run.starts, index).filter((row) => passesDetection(filter, run.filtered(row)));
  }

  private filteredObject(row: number, missed: boolean) {
    const { labels, areas, crowds } = this.objects;
    return { label: labels[row]!, area: areas[row]!, crowd: crowds[row] === 1, missed };
  }

  private ordered(images: number[], { order, run }: DetectionFilter): number[] {
    const chosen = this.runs[run];
    if (order === 'data' || chosen === undefined) return images;
    const other = this.runs[1 - run];
    const errors = (image: number): number => chosen.errors[image]!;
    const change = (image: number): number => Math.abs(errors(image) - (other?.errors[image] ?? 0));
    const measure = order === 'errors' ? errors : change;
    return images.sort((a, b) => measure(b) - measure(a) || a - b);
  }

  private categoryId(label: number): number {
    return this.set.classes[label]!.categoryId;
  }

  private nameOf(index: number, file: string): string {
    return this.set.coco.image(this.set.images[index]!.id)!.file_name ?? file;
  }
}

/** As people read them. */
const inOrder = (counts: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(['pairs', 'objects', ...KINDS].flatMap((name) => (name in counts ? [[name, counts[name]!]] : [])));

/** Rows of the detections that stand in a cell. */
const paired = ({ pairs }: RunColumns, image: number, cell: readonly [number, number]): number[] =>
  pairs.in(cell, image).flatMap(([, , , detection]) => (detection < 0 ? [] : [detection]));

/** Within the image's lists. */
function pairsOf({ pairs, starts }: RunColumns, image: number, firstObject: number): Pair[] {
  const within = (row: number, first: number): number => (row < 0 ? -1 : row - first);
  return pairs
    .of(image)
    .map(([row, column, object, found]) => [row, column, within(object, firstObject), within(found, starts[image]!)]);
}
