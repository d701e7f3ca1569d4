/** The images of an evaluation for its report: how wrong each is, and those that are worst with their maps. */
import type { EvaluationItem, SegmentationClass } from '@pyramidal/ade20k';
import type { Workers } from '@pyramidal/distributed';
import { type DecodeOptions, nearestIndex, type RgbImage, type Size } from '@pyramidal/images';
import { drawableClasses } from '@pyramidal/pictures';
import { readSmallPicture, type SegmentationEvaluation, type SegmentedImage, smallSize } from '@pyramidal/report';
import { edgeErrors } from '@pyramidal/segeval';
import { drawMap } from './draw-map';

const EDGE_WIDTH = 3;

/** How many images keep their maps. */
const KEPT = 20;

/** An image with its maps, small. */
interface Kept {
  readonly name: string;
  readonly share: number;
  readonly file: string;
  readonly size: Size;
  /** A byte a pixel, in base64, as processes tell each other. */
  readonly label: string;
  readonly prediction: string;
}

/** What a process saw. */
interface Seen {
  readonly images: SegmentedImage[];
  readonly kept: Kept[];
}

/** Takes map by map; memory is that of the worst images' small maps. */
export class SegmentedImages {
  private images: SegmentedImage[] = [];
  private kept: Kept[] = [];

  constructor(
    private readonly classes: readonly SegmentationClass[],
    private readonly decode: DecodeOptions,
  ) {}

  add({ name, image, labels, original }: EvaluationItem, prediction: Uint8Array): void {
    const errors = edgeErrors(prediction, labels.data, { size: original, edgeWidth: EDGE_WIDTH });
    this.images.push({ name, ...errors });
    const share = errors.pixels === 0 ? 0 : errors.wrong / errors.pixels;
    if (this.kept.length === KEPT && share <= this.kept.at(-1)!.share) return;
    const size = smallSize(original);
    const small = (map: Uint8Array): Uint8Array => nearest(map, original, size);
    const ignored = (label: number): number => (label < this.classes.length ? label : this.classes.length);
    const maps = { label: textOf(small(labels.data).map(ignored)), prediction: textOf(small(prediction)) };
    this.keep([{ name, share, file: image, size, ...maps }]);
  }

  /** Takes what the other processes saw too; all of them call it. */
  join(team: Pick<Workers, 'exchange'>): void {
    const { images, kept } = this;
    const parts = team.exchange(JSON.stringify({ images, kept })).map((text) => JSON.parse(text) as Seen);
    this.images = parts.flatMap((part) => part.images);
    this.kept = [];
    for (const part of parts) this.keep(part.kept);
  }

  private keep(images: readonly Kept[]): void {
    this.kept = [...this.kept, ...images].sort((a, b) => b.share - a.share || compare(a, b)).slice(0, KEPT);
  }

  async evaluation(): Promise<Pick<SegmentationEvaluation, 'images' | 'edgeWidth' | 'show'>> {
    const images = [...this.images].sort(compare);
    const kept = new Map(this.kept.map((image) => [image.name, image]));
    const ignored = { name: 'ignored', colour: [128, 128, 128] } as const;
    const drawn = await drawableClasses([...this.classes, ignored], console.error);
    const show: SegmentationEvaluation['show'] = async (index) => {
      const image = kept.get(images[index]!.name);
      return image && this.pictures(image, drawn);
    };
    return { images, edgeWidth: EDGE_WIDTH, show };
  }

  private async pictures({ file, size, label, prediction }: Kept, classes: readonly SegmentationClass[]) {
    const picture = await readSmallPicture(file, this.decode);
    const draw = (map: string): Promise<RgbImage> =>
      drawMap({ ...picture, data: picture.data.slice() }, { map: mapOf(map), ...size }, classes);
    return [
      { name: 'image', image: picture },
      { name: 'labels', image: await draw(label) },
      { name: 'prediction', image: await draw(prediction) },
    ];
  }
}

/** By name, whichever process saw them first. */
const compare = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);

const textOf = (map: Uint8Array): string => Buffer.from(map).toString('base64');
const mapOf = (text: string): Uint8Array => Buffer.from(text, 'base64');

function nearest(map: Uint8Array, from: Size, to: Size): Uint8Array {
  const columns = nearestIndex(from.width, to.width);
  const small = new Uint8Array(to.width * to.height);
  nearestIndex(from.height, to.height).forEach((row, y) => {
    columns.forEach((column, x) => (small[y * to.width + x] = map[row * from.width + column]!));
  });
  return small;
}
