/** Feature maps as colours. */
import type { FeatureMap } from './features';
import { principalComponents } from './principal-components';

/** What is drawn of a map: its three principal components as red, green and blue, the mean of its channels, or one. */
export type View = 'components' | 'mean' | { readonly channel: number };

/** Dark to bright, evenly to the eye (matplotlib's viridis, every quarter). */
const VIRIDIS = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [253, 231, 37],
] as const;

/** A map as a picture of one pixel a cell. */
export function colourMap(map: FeatureMap, view: View): ImageData {
  const [height, width, channels] = map.shape;
  const picture = new ImageData(width, height);
  const { data } = picture;
  if (view === 'components') {
    const [red, green, blue] = principalComponents(map.values, channels, 3).map(stretch);
    for (let cell = 0; cell < width * height; cell++) {
      data.set([255 * red![cell]!, 255 * green![cell]!, 255 * blue![cell]!, 255], cell * 4);
    }
    return picture;
  }
  const values = stretch(view === 'mean' ? channelMean(map) : channelOf(map, view.channel));
  values.forEach((value, cell) => data.set([...viridis(value), 255], cell * 4));
  return picture;
}

function channelMean({ values, shape: [height, width, channels] }: FeatureMap): Float32Array {
  const mean = new Float32Array(height * width);
  values.forEach((value, i) => (mean[Math.floor(i / channels)]! += value / channels));
  return mean;
}

const channelOf = ({ values, shape: [height, width, channels] }: FeatureMap, channel: number): Float32Array =>
  Float32Array.from({ length: height * width }, (_, cell) => values[cell * channels + channel]!);

/** Brings the 1st to 99th percentile to [0, 1], so that single outliers do not take all the contrast. */
function stretch(values: Float32Array): Float32Array {
  const sorted = values.toSorted();
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!;
  const [low, high] = [at(0.01), at(0.99)];
  return values.map((value) => Math.min(Math.max((value - low) / (high - low || 1), 0), 1));
}

function viridis(value: number): number[] {
  const place = value * (VIRIDIS.length - 1);
  const index = Math.min(Math.floor(place), VIRIDIS.length - 2);
  const [from, to] = [VIRIDIS[index]!, VIRIDIS[index + 1]!];
  return from.map((start, i) => start + (place - index) * (to[i]! - start));
}
