/** RoIAlign (Mask R-CNN, section 3) with aligned pixel centres: coordinate x of the image is x * scale - 0.5 of a map. */
import * as tf from '@tensorflow/tfjs-core';
import { coordinates, takeRows } from '@pyramidal/boxes';
import { hasOwnRoiAlign, ownRoiAlign } from '@pyramidal/kernels';

/** Regions of a batch of images. */
export interface Rois {
  /** float32 [R, 4], xyxy, in pixels of the network's input. */
  readonly boxes: tf.Tensor2D;
  /** int32 [R], the image of each. */
  readonly images: tf.Tensor1D;
}

/** Maps of a batch, each RoI to be read from one of them. */
export interface RoiMaps {
  /** float32 [N, H, W, C] each. */
  readonly maps: readonly tf.Tensor4D[];
  /** Cells per pixel of each map. */
  readonly scales: readonly number[];
  /** int32 [R], the map of each RoI; the first for all by default. */
  readonly levels?: tf.Tensor1D;
}

export interface RoiAlignOptions {
  /** Bins along height and width. */
  readonly bins: readonly [height: number, width: number];
  /**
   * Points per bin and axis. 'adaptive' takes ceil(RoI size / bins) of them, as published checkpoints expect; where the
   * engine has no operation of ours for it, it reads the boxes, and a step that uses it cannot be compiled.
   */
  readonly sampling: number | 'adaptive';
}

/** Whether graphs of the engine that is open can repeat adaptive sampling. */
export const recordsAdaptiveRois = (): boolean => hasOwnRoiAlign();

/**
 * Averages bilinear samples of the maps in every bin of every RoI. Samples more than a cell outside of a map count as
 * zero. The maps receive a gradient, the boxes none.
 * @returns float32 [R, bins height, bins width, C].
 */
export function roiAlign(source: RoiMaps, rois: Rois, { bins, sampling }: RoiAlignOptions): tf.Tensor4D {
  return tf.tidy(() => {
    const grid = placeOnMaps(source, rois);
    const { x, y, width, height, images, levels } = grid;
    const places = tf.stack([x, y, width, height], 1) as tf.Tensor2D;
    const own = ownRoiAlign(source.maps, { places, images, levels }, bins, sampling);
    if (own !== null) return own;
    if (sampling !== 'adaptive') return alignOnGrid(source.maps, grid, bins, [sampling, sampling]);
    return alignAdaptively(source.maps, grid, bins);
  });
}

type SavedRois = [tf.Tensor1D, tf.Tensor1D, tf.Tensor1D, tf.Tensor1D, tf.Tensor1D, tf.Tensor1D];

/** RoIs in cells of their own maps; every field has a row per RoI. */
interface PlacedRois {
  readonly x: tf.Tensor1D;
  readonly y: tf.Tensor1D;
  readonly width: tf.Tensor1D;
  readonly height: tf.Tensor1D;
  readonly images: tf.Tensor1D;
  readonly levels: tf.Tensor1D;
}

function placeOnMaps({ scales, levels }: RoiMaps, { boxes, images }: Rois): PlacedRois {
  const onLevels = levels ?? tf.zerosLike(images);
  const scale = takeRows(tf.tensor1d([...scales]), onLevels);
  const onMap = (values: tf.Tensor): tf.Tensor1D => tf.sub(tf.mul(values, scale), 0.5);
  const [x1, y1, x2, y2] = coordinates(boxes);
  const [x, y] = [onMap(x1), onMap(y1)];
  return { x, y, width: tf.sub(onMap(x2), x), height: tf.sub(onMap(y2), y), images, levels: onLevels };
}

/** RoIs with the same numbers of points go together. @throws Error on engines that hand out values asynchronously alone. */
function alignAdaptively(maps: readonly tf.Tensor4D[], rois: PlacedRois, bins: readonly [number, number]): tf.Tensor4D {
  if (tf.getBackend() === 'webgpu') {
    throw new Error(
      'RoIAlign: sampling: expected a number on webgpu, received adaptive, which reads the boxes in a step',
    );
  }
  const [heights, widths] = [rois.height.dataSync(), rois.width.dataSync()];
  const groups = new Map<string, { grid: [number, number]; rows: number[] }>();
  heights.forEach((height, row) => {
    const grid = [pointsPerBin(height, bins[0]), pointsPerBin(widths[row]!, bins[1])] as [number, number];
    const group = groups.get(grid.join()) ?? { grid, rows: [] };
    group.rows.push(row);
    groups.set(grid.join(), group);
  });
  const channels = maps[0]!.shape[3];
  if (groups.size === 0) return tf.zeros([0, ...bins, channels]);
  const parts = [...groups.values()].map(({ grid, rows }): tf.Tensor4D => {
    // A RoI without extent has no points at all.
    if (grid[0] === 0 || grid[1] === 0) return tf.zeros([rows.length, ...bins, channels]);
    const index = tf.tensor1d(rows, 'int32');
    const pick = (values: tf.Tensor1D): tf.Tensor1D => takeRows(values, index);
    const { x, y, width, height, images, levels } = rois;
    const group = {
      ...{ x: pick(x), y: pick(y), width: pick(width), height: pick(height) },
      ...{ images: pick(images), levels: pick(levels) },
    };
    return alignOnGrid(maps, group, bins, grid);
  });
  const order = new Int32Array(heights.length);
  [...groups.values()].flatMap(({ rows }) => rows).forEach((row, place) => (order[row] = place));
  return takeRows(tf.concat(parts), tf.tensor1d(order, 'int32'));
}

/** In float32, as the reference counts. */
function pointsPerBin(size: number, bins: number): number {
  return Math.max(Math.ceil(Math.fround(size / bins)), 0);
}

/** The same number of points for all RoIs. */
function alignOnGrid(
  maps: readonly tf.Tensor4D[],
  rois: PlacedRois,
  [down, across]: readonly [number, number],
  [perBinDown, perBinAcross]: readonly [number, number],
): tf.Tensor4D {
  const counts = [down * perBinDown, across * perBinAcross] as const;
  const shapes = maps.map(({ shape }) => shape);
  const aligned = tf.customGrad((...inputs) => {
    const save = inputs.pop() as tf.GradSaveFunc;
    const points = tf.addN((inputs as tf.Tensor4D[]).map((map, level) => samplePoints(map, level, rois, counts)));
    const { x, y, width, height, images, levels } = rois;
    save([x, y, width, height, images, levels]);
    return {
      value: averageBins(points, perBinDown, perBinAcross),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [x, y, width, height, images, levels] = saved as SavedRois;
        const spread = spreadOverBins(dy as tf.Tensor4D, perBinDown, perBinAcross);
        return scatterPoints(spread, shapes, { x, y, width, height, images, levels }, counts);
      },
    };
  });
  return aligned(...maps) as tf.Tensor4D;
}

/** Points along height and width of every RoI: the centres of so many equal parts. */
type Counts = readonly [rows: number, columns: number];

/** Values of one map at the points of its RoIs, zero for other RoIs. @returns float32 [R, rows, columns, C]. */
function samplePoints(map: tf.Tensor4D, level: number, rois: PlacedRois, counts: Counts): tf.Tensor4D {
  const [, height, width] = map.shape;
  // One cell of the edge's own values around the map: samples out there take the edge's value, farther ones are zero.
  const bordered = tf.mirrorPad(
    map,
    [
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ],
    'symmetric',
  );
  const [top, bottom] = ends(rois.y, rois.height, counts[0], height);
  const [left, right] = ends(rois.x, rois.width, counts[1], width);
  const corners = tf.stack([top, left, bottom, right], 1) as tf.Tensor2D;
  const isHere = tf.expandDims(tf.equal(rois.levels, level), 1);
  const boxes = tf.where(isHere, corners, tf.fill(corners.shape, -1));
  return tf.image.cropAndResize(bordered, boxes, rois.images, [...counts], 'bilinear', 0);
}

/** First and last point in the units of `cropAndResize`: 0 and 1 are the outermost cells of the bordered map. */
function ends(start: tf.Tensor, size: tf.Tensor, count: number, cells: number): [tf.Tensor, tf.Tensor] {
  const half = tf.div(size, 2 * count);
  const first = tf.add(tf.add(start, half), 1);
  const last = tf.add(tf.sub(tf.add(start, size), half), 1);
  return [tf.div(first, cells + 1), tf.div(last, cells + 1)];
}

function averageBins(points: tf.Tensor4D, perBinDown: number, perBinAcross: number): tf.Tensor4D {
  const window: [number, number] = [perBinDown, perBinAcross];
  return perBinDown * perBinAcross === 1 ? points : tf.avgPool(points, window, window, 'valid');
}

/** The gradient of `averageBins`. */
function spreadOverBins(dy: tf.Tensor4D, perBinDown: number, perBinAcross: number): tf.Tensor4D {
  const [rois, down, across, channels] = dy.shape;
  const shares = tf.reshape(tf.div(dy, perBinDown * perBinAcross), [rois * down, 1, across, 1, channels]);
  const spread = tf.tile(shares, [1, perBinDown, 1, perBinAcross, 1]);
  return tf.reshape(spread, [rois, down * perBinDown, across * perBinAcross, channels]);
}

/** The gradient of the samples by the maps: each point's is shared out to the four cells around it. */
function scatterPoints(
  gradient: tf.Tensor4D,
  shapes: readonly (readonly [number, number, number, number])[],
  rois: PlacedRois,
  counts: Counts,
): tf.Tensor[] {
  const channels = gradient.shape[3];
  const perRoi = (values: readonly number[]): tf.Tensor1D => takeRows(tf.tensor1d([...values], 'int32'), rois.levels);
  const sizes = shapes.map(([n, h, w]) => n * h * w);
  const starts = sizes.map((_, level) => sizes.slice(0, level).reduce((sum, size) => sum + size, 0));
  const [heights, widths] = [perRoi(shapes.map(([, h]) => h)), perRoi(shapes.map(([, , w]) => w))];
  const origin = tf.add(perRoi(starts), tf.mul(rois.images, tf.mul(heights, widths)));
  const down = neighbours(rois.y, rois.height, counts[0], heights);
  const across = neighbours(rois.x, rois.width, counts[1], widths);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const sums = down.flatMap((row) =>
    across.map((column) => {
      const rowCells = tf.add(tf.mul(row.cells, tf.expandDims(widths, 1)), tf.expandDims(origin, 1));
      const cells = tf.add(tf.expandDims(rowCells, 2), tf.expandDims(column.cells, 1));
      const weights = tf.mul(tf.expandDims(row.weights, 2), tf.expandDims(column.weights, 1));
      const shares = tf.reshape(tf.mul(gradient, tf.expandDims(weights, 3)), [-1, channels]);
      return tf.unsortedSegmentSum(shares, tf.reshape(cells, [-1]) as tf.Tensor1D, total);
    }),
  );
  const onMaps = tf.split(tf.addN(sums), sizes, 0);
  return onMaps.map((map, level) => tf.reshape(map, [...shapes[level]!]));
}

/** The two cells around every point of an axis, int32 [R, count], and their weights. */
function neighbours(
  start: tf.Tensor,
  size: tf.Tensor,
  count: number,
  cells: tf.Tensor,
): { cells: tf.Tensor; weights: tf.Tensor }[] {
  const steps = tf.div(tf.add(tf.range(0, count), 0.5), count);
  const points = tf.add(tf.expandDims(start, 1), tf.mul(tf.expandDims(size, 1), tf.expandDims(steps, 0)));
  const limit = tf.expandDims(tf.cast(cells, 'float32'), 1);
  const isInside = tf.cast(tf.logicalAnd(tf.greaterEqual(points, -1), tf.lessEqual(points, limit)), 'float32');
  const last = tf.sub(limit, 1);
  const clamped = tf.minimum(tf.relu(points), last);
  const low = tf.floor(clamped);
  const share = tf.sub(clamped, low);
  return [
    { cells: tf.cast(low, 'int32'), weights: tf.mul(tf.sub(1, share), isInside) },
    { cells: tf.cast(tf.minimum(tf.add(low, 1), last), 'int32'), weights: tf.mul(share, isInside) },
  ];
}
