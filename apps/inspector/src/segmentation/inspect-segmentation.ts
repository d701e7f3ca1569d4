/** A data set with a label map for every image, and the maps that any number of runs predicted. */
import { type DecodeOptions, nearestIndex, type Size } from '@pyramidal/images';
import { smallSize } from '@pyramidal/report';
import { SegmentationEvaluator } from '@pyramidal/segeval';
import { type Inspected, NotThereError } from '../inspected';
import type { ClassAbout, RunAbout, SegmentationImage, Selection } from '../protocol';
import { MapCounts } from './map-counts';
import { readFilter, type SegmentationFilter } from './filter';

/** One value a pixel, row by row: a class, or 255 for none. */
export interface ClassMap extends Size {
  readonly data: Uint8Array;
}

/** What a run predicted. */
export interface SegmentationRun {
  readonly name: string;
  /** @throws Error where the map cannot be read. */
  readMap(image: number): Promise<ClassMap>;
}

export interface SegmentationToInspect {
  readonly title: string;
  readonly images: readonly { readonly name: string; readonly file: string }[];
  /** @throws Error where the map cannot be read. */
  readLabels(image: number): Promise<ClassMap>;
  readonly classes: readonly ClassAbout[];
  /** None, one, or two to compare. */
  readonly runs: readonly SegmentationRun[];
  readonly decode: DecodeOptions;
  /** Told of every image as its maps are compared. */
  readonly onImage?: () => void;
}

/**
 * Reads all maps once and keeps what is counted in them.
 * @throws Error naming the image whose maps cannot be compared.
 */
export async function inspectSegmentation(set: SegmentationToInspect): Promise<Inspected> {
  const sizes: Size[] = [];
  const counts = set.runs.map(() => new MapCounts(set.classes.length));
  const totals = set.runs.map(() => new SegmentationEvaluator({ classes: set.classes.length }));
  for (const [index, { name }] of set.images.entries()) {
    const labels = await set.readLabels(index);
    sizes.push({ width: labels.width, height: labels.height });
    for (const [r, run] of set.runs.entries()) {
      const map = await run.readMap(index);
      const own = new SegmentationEvaluator({ classes: set.classes.length });
      own.add(map.data, labels.data, `${run.name}: ${name}`);
      counts[r]!.add(own.confusion());
      totals[r]!.merge(own);
    }
    set.onImage?.();
  }
  const inspected = new InspectedSegmentation(
    set,
    sizes,
    counts,
    totals.map((total, r) => aboutRun(set.runs[r]!.name, total)),
  );
  return {
    about: inspected.about,
    select: (query) => inspected.select(query),
    image: (index) => inspected.image(index),
    picture: (index) => ({ file: set.images[index]!.file, decode: set.decode }),
    map: (index, layer, isSmall) => inspected.map(index, layer, isSmall),
    exports: { images: (query) => inspected.names(query) },
  };
}

function aboutRun(name: string, total: SegmentationEvaluator): RunAbout {
  const { mIoU, mAcc, aAcc } = total.metrics();
  const confusion = Array.from(total.confusion()).flatMap((count, cell): [number, number, number][] =>
    count === 0 ? [] : [[Math.floor(cell / total.classes), cell % total.classes, count]],
  );
  return { name, metrics: { mIoU, mAcc, aAcc }, confusion };
}

class InspectedSegmentation {
  readonly about: Inspected['about'];

  constructor(
    private readonly set: SegmentationToInspect,
    private readonly sizes: readonly Size[],
    private readonly counts: readonly MapCounts[],
    runs: readonly RunAbout[],
  ) {
    const { title, classes, images } = set;
    this.about = { title, task: 'segmentation', classes, images: images.length, runs, meanings: {} };
  }

  select(query: URLSearchParams): Selection {
    const { classes, runs } = this.set;
    const filter = readFilter(query, { classes: classes.length, runs: runs.length });
    const images = [...this.set.images.keys()].filter((index) => this.passes(index, filter));
    return { images: this.ordered(images, filter), counts: {} };
  }

  image(index: number): SegmentationImage {
    const size = this.sizes[index]!;
    return {
      task: 'segmentation',
      index,
      name: this.set.images[index]!.name,
      width: size.width,
      height: size.height,
      small: smallSize(size),
      runs: this.counts.map((counts) => ({ ...counts.total(index), confusion: counts.cells(index) })),
    };
  }

  async map(index: number, layer: string, isSmall: boolean): Promise<Uint8Array> {
    const run = this.set.runs[Number(layer)];
    if (layer !== 'label' && (!/^\d$/.test(layer) || run === undefined)) {
      throw new NotThereError(`expected the map 'label' or the number of a run, received '${layer.slice(0, 20)}'`);
    }
    const map = layer === 'label' ? await this.set.readLabels(index) : await run!.readMap(index);
    return isSmall ? smaller(map, smallSize(map)) : map.data;
  }

  names(query: URLSearchParams): string[] {
    return this.select(query).images.map((index) => this.set.images[index]!.name);
  }

  private passes(index: number, { run, classes, minWrong, maxWrong, cell }: SegmentationFilter): boolean {
    const counts = this.counts[run];
    if (counts === undefined) return true;
    const cells = counts.cells(index);
    const wrong = shareOf(counts, index);
    return (
      wrong >= minWrong &&
      wrong <= maxWrong &&
      (classes.size === 0 || cells.some(([row, column]) => classes.has(row) || classes.has(column))) &&
      (cell === undefined || cells.some(([row, column]) => row === cell[0] && column === cell[1]))
    );
  }

  private ordered(images: number[], { order, run }: SegmentationFilter): number[] {
    const chosen = this.counts[run];
    if (order === 'data' || chosen === undefined) return images;
    const other = this.counts[1 - run];
    const errors = (image: number): number => shareOf(chosen, image);
    const change = (image: number): number => Math.abs(errors(image) - (other ? shareOf(other, image) : 0));
    const measure = order === 'errors' ? errors : change;
    return images.sort((a, b) => measure(b) - measure(a) || a - b);
  }
}

function shareOf(counts: MapCounts, image: number): number {
  const { wrong, pixels } = counts.total(image);
  return pixels === 0 ? 0 : wrong / pixels;
}

function smaller(map: ClassMap, to: Size): Uint8Array {
  const columns = nearestIndex(map.width, to.width);
  const small = new Uint8Array(to.width * to.height);
  nearestIndex(map.height, to.height).forEach((row, y) => {
    columns.forEach((column, x) => (small[y * to.width + x] = map.data[row * map.width + column]!));
  });
  return small;
}
