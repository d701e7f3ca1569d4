/** The images of an evaluation for its report: how wrong each is, and those that are worst with their maps. */
import type { EvaluationItem, SegmentationClass } from '@pyramidal/ade20k';
import { type DecodeOptions, nearestIndex, type RgbImage, type Size } from '@pyramidal/images';
import { readSmallPicture, type SegmentationEvaluation, type SegmentedImage, smallSize } from '@pyramidal/report';
import { edgeErrors } from '@pyramidal/segeval';
import { drawMap } from './draw-map';

const EDGE_WIDTH = 3;

/** How many images keep their maps. */
const KEPT = 20;

/** An image with its maps, small. */
interface Kept {
  readonly index: number;
  readonly share: number;
  readonly file: string;
  readonly size: Size;
  readonly label: Uint8Array;
  readonly prediction: Uint8Array;
}

/** Takes map by map; memory is that of the worst images' small maps. */
export class SegmentedImages {
  private readonly images: SegmentedImage[] = [];
  private kept: Kept[] = [];
  private readonly drawn: readonly SegmentationClass[];

  constructor(
    private readonly classes: readonly SegmentationClass[],
    private readonly decode: DecodeOptions,
  ) {
    this.drawn = [...classes, { name: 'ignored', colour: [128, 128, 128] }];
  }

  add({ name, image, labels, original }: EvaluationItem, prediction: Uint8Array): void {
    const errors = edgeErrors(prediction, labels.data, { size: original, edgeWidth: EDGE_WIDTH });
    const index = this.images.push({ name, ...errors }) - 1;
    const share = errors.pixels === 0 ? 0 : errors.wrong / errors.pixels;
    if (this.kept.length === KEPT && share <= this.kept.at(-1)!.share) return;
    const size = smallSize(original);
    const small = (map: Uint8Array): Uint8Array => nearest(map, original, size);
    const ignored = (label: number): number => (label < this.classes.length ? label : this.classes.length);
    const maps = { label: small(labels.data).map(ignored), prediction: small(prediction) };
    this.kept.push({ index, share, file: image, size, ...maps });
    this.kept = this.kept.sort((a, b) => b.share - a.share).slice(0, KEPT);
  }

  evaluation(): Pick<SegmentationEvaluation, 'images' | 'edgeWidth' | 'show'> {
    const kept = new Map(this.kept.map((image) => [image.index, image]));
    const show: SegmentationEvaluation['show'] = async (index) => {
      const image = kept.get(index);
      return image && this.pictures(image);
    };
    return { images: this.images, edgeWidth: EDGE_WIDTH, show };
  }

  private async pictures({ file, size, label, prediction }: Kept) {
    const picture = await readSmallPicture(file, this.decode);
    const draw = (map: Uint8Array): Promise<RgbImage> =>
      drawMap({ ...picture, data: picture.data.slice() }, { map, ...size }, this.drawn);
    return [
      { name: 'image', image: picture },
      { name: 'labels', image: await draw(label) },
      { name: 'prediction', image: await draw(prediction) },
    ];
  }
}

function nearest(map: Uint8Array, from: Size, to: Size): Uint8Array {
  const columns = nearestIndex(from.width, to.width);
  const small = new Uint8Array(to.width * to.height);
  nearestIndex(from.height, to.height).forEach((row, y) => {
    columns.forEach((column, x) => (small[y * to.width + x] = map[row * from.width + column]!));
  });
  return small;
}
