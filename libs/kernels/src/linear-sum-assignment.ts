/** The assignment problem as an operation: matching of queries and objects within a step. */
import * as tf from '@tensorflow/tfjs-core';
import { LINEAR_SUM_ASSIGNMENT } from './engine';
import { solveAssignment } from './solve-assignment';
import { ownOps } from '#native-ops';

export interface Assignment {
  /** int32 [batch, rows]: the column of each row, -1 where it has none. */
  readonly columnOfRow: tf.Tensor2D;
  /** int32 [batch, columns]: the row of each column, -1 where it has none. */
  readonly rowOfColumn: tf.Tensor2D;
}

/**
 * Assigns rows to columns, each to at most one, as many as there can be, so that the sum of costs is least; among several
 * such assignments it takes that of SciPy's `linear_sum_assignment`. There is no gradient. In a graph it needs the
 * native engine's own operations.
 * @param costs float32 [batch, rows, columns]; Infinity forbids a pair.
 * @param rows bool [batch, rows]: those that take part.
 * @param columns bool [batch, columns]: those that take part.
 * @throws Error if a cost is NaN or -Infinity, or no assignment has a finite cost.
 */
export function linearSumAssignment(costs: tf.Tensor3D, rows: tf.Tensor2D, columns: tf.Tensor2D): Assignment {
  const own = ownOps();
  if (own !== null) {
    const [columnOfRow, rowOfColumn] = own.runMany('PyramidalLinearSumAssignment', [costs, rows, columns], [], 2);
    return { columnOfRow, rowOfColumn } as Assignment;
  }
  if (tf.getKernel(LINEAR_SUM_ASSIGNMENT, tf.getBackend())) {
    const found: unknown = tf.engine().runKernel(LINEAR_SUM_ASSIGNMENT, { costs, rows, columns });
    const [columnOfRow, rowOfColumn] = found as [tf.Tensor2D, tf.Tensor2D];
    return { columnOfRow, rowOfColumn };
  }
  const [batch, height, width] = costs.shape;
  const columnOfRow = new Int32Array(batch * height).fill(-1);
  const rowOfColumn = new Int32Array(batch * width).fill(-1);
  const [values, takenRows, takenColumns] = [costs.dataSync(), rows.dataSync(), columns.dataSync()];
  for (let image = 0; image < batch; image++) {
    const own = whereTrue(takenRows.subarray(image * height, (image + 1) * height));
    const others = whereTrue(takenColumns.subarray(image * width, (image + 1) * width));
    const at = (row: number, column: number): number => values[(image * height + row) * width + column] as number;
    const block = Float64Array.from(
      own.flatMap((row) => others.map((column) => checked(at(row, column), image, row, column))),
    );
    solveAssignment(block, own.length, others.length).forEach((column, i) => {
      if (column < 0) return;
      const [row, other] = [own[i] as number, others[column] as number];
      columnOfRow[image * height + row] = other;
      rowOfColumn[image * width + other] = row;
    });
  }
  return {
    columnOfRow: tf.tensor2d(columnOfRow, [batch, height], 'int32'),
    rowOfColumn: tf.tensor2d(rowOfColumn, [batch, width], 'int32'),
  };
}

function whereTrue(mask: ArrayLike<number>): number[] {
  return Array.from(mask, (taken, i) => (taken ? i : -1)).filter((i) => i >= 0);
}

function checked(cost: number, image: number, row: number, column: number): number {
  if (!Number.isNaN(cost) && cost !== -Infinity) return cost;
  throw new Error(`matrix ${image}: the cost of row ${row} and column ${column} is ${cost}`);
}
