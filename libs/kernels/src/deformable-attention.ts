/** Multi-scale deformable attention (Deformable DETR, Zhu et al., 2021; MSDeformAttn of its code). */
import * as tf from '@tensorflow/tfjs-core';
import { ownOps, type NativeOps } from '#native-ops';

/** Height and width of a map. */
export type MapSize = readonly [height: number, width: number];

/**
 * Each head of each query sums what it reads at points of several maps, bilinearly between the centres of cells; beyond a
 * map everything is 0. With the native engine's own operations what is read is never kept.
 * @param values float32 [batch, cells, heads, depth], the maps' cells one after another, row by row.
 * @param maps their sizes, in the same order.
 * @param locations float32 [batch, queries, heads, maps, points, 2]: x and y, 0 to 1 over the map.
 * @param weights float32 [batch, queries, heads, maps, points].
 * @returns float32 [batch, queries, heads * depth]. Values, locations and weights have gradients.
 * @throws RangeError if the maps have another number of cells than `values`.
 */
export function deformableAttention(
  values: tf.Tensor4D,
  maps: readonly MapSize[],
  locations: tf.Tensor<tf.Rank.R6>,
  weights: tf.Tensor5D,
): tf.Tensor3D {
  const cells = maps.reduce((sum, [height, width]) => sum + height * width, 0);
  if (cells !== values.shape[1]) {
    throw new RangeError(`deformableAttention: expected values of ${cells} cells, received [${values.shape.join()}]`);
  }
  const own = ownOps();
  return own === null ? composed(values, maps, locations, weights) : native(own, values, maps, locations, weights);
}

function native(
  own: NativeOps,
  values: tf.Tensor4D,
  maps: readonly MapSize[],
  locations: tf.Tensor<tf.Rank.R6>,
  weights: tf.Tensor5D,
): tf.Tensor3D {
  const attrs = [own.int('maps', maps.flat())];
  return tf.customGrad((...args) => {
    const [v, l, w, save] = args as [tf.Tensor, tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([v, l, w]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] =>
      own.runMany('PyramidalDeformableAttentionGrad', [...saved, dy], attrs, 3);
    return { value: own.run('PyramidalDeformableAttention', [v, l, w], attrs), gradFunc };
  })(values, locations, weights) as tf.Tensor3D;
}

function composed(
  values: tf.Tensor4D,
  maps: readonly MapSize[],
  locations: tf.Tensor<tf.Rank.R6>,
  weights: tf.Tensor5D,
): tf.Tensor3D {
  return tf.tidy(() => {
    const [batch, , heads, depth] = values.shape;
    const queries = weights.shape[1];
    let start = 0;
    const sums = maps.map((map, i) => {
      const at = tf.squeeze<tf.Tensor5D>(tf.slice(locations, [0, 0, 0, i, 0, 0], [-1, -1, -1, 1, -1, -1]), [3]);
      const weight = tf.squeeze<tf.Tensor4D>(tf.slice(weights, [0, 0, 0, i, 0], [-1, -1, -1, 1, -1]), [3]);
      const size = map[0] * map[1];
      const cells = tf.slice(values, [0, start, 0, 0], [-1, size, -1, -1]);
      start += size;
      return readMap(cells, map, at, weight);
    });
    return tf.reshape(sums.length === 1 ? (sums[0] as tf.Tensor) : tf.addN(sums), [batch, queries, heads * depth]);
  });
}

/** What is read of one map, [batch, queries, heads, depth]. */
function readMap(cells: tf.Tensor4D, [height, width]: MapSize, at: tf.Tensor5D, weights: tf.Tensor4D): tf.Tensor4D {
  const [batch, , heads, depth] = cells.shape;
  const [x, y] = tf.unstack(at, -1) as [tf.Tensor4D, tf.Tensor4D];
  const column = tf.sub<tf.Tensor4D>(tf.mul(x, width), 0.5);
  const row = tf.sub<tf.Tensor4D>(tf.mul(y, height), 0.5);
  const [left, top] = [tf.floor(column), tf.floor(row)];
  const [right, below] = [tf.sub(column, left), tf.sub(row, top)];
  // Rows of [batch * heads * cells, depth]; `first` is the first of each head of each image.
  const table = tf.reshape<tf.Rank.R2>(tf.transpose(cells, [0, 2, 1, 3]), [-1, depth]);
  const heading = tf.reshape(tf.range(0, batch * heads, 1, 'int32'), [batch, 1, heads, 1]);
  const first = tf.mul<tf.Tensor4D>(heading, tf.scalar(height * width, 'int32'));
  const corner = (dx: number, dy: number): tf.Tensor => {
    const share = tf.mul(dx === 1 ? right : tf.sub(1, right), dy === 1 ? below : tf.sub(1, below));
    const read = readCells(table, [height, width], tf.add(left, dx), tf.add(top, dy), first);
    return tf.sum(tf.mul(read, tf.expandDims(tf.mul(weights, share), -1)), 3);
  };
  return tf.addN([corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1)]) as tf.Tensor4D;
}

/** The values of whole columns and rows of a map, 0 outside it. The gradient goes to the table alone. */
function readCells(
  table: tf.Tensor2D,
  [height, width]: MapSize,
  column: tf.Tensor4D,
  row: tf.Tensor4D,
  first: tf.Tensor4D,
): tf.Tensor {
  return tf.customGrad((t, save) => {
    const within = (x: tf.Tensor, size: number): tf.Tensor => tf.logicalAnd(tf.greaterEqual(x, 0), tf.less(x, size));
    const isInside = tf.logicalAnd(within(column, width), within(row, height));
    const cell = tf.add(tf.mul(tf.clipByValue(row, 0, height - 1), width), tf.clipByValue(column, 0, width - 1));
    const index = tf.add<tf.Tensor4D>(tf.cast(cell, 'int32'), first);
    const mask = tf.cast(tf.expandDims(isInside, -1), 'float32');
    (save as tf.GradSaveFunc)([index, mask]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor => {
      const [at, shown] = saved as [tf.Tensor, tf.Tensor];
      const rows = tf.reshape<tf.Rank.R2>(tf.mul(dy, shown), [-1, table.shape[1]]);
      return tf.unsortedSegmentSum(rows, tf.reshape<tf.Rank.R1>(at, [-1]), table.shape[0]);
    };
    // Unlike `tf.gather`, which reads the indices, it can be recorded.
    const read = tf.gatherND(t as tf.Tensor2D, tf.expandDims(index, -1));
    return { value: tf.mul(read, mask), gradFunc };
  })(table);
}
