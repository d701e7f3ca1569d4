/**
 * The assignment problem by shortest augmenting paths (Jonker and Volgenant, 1987, for rectangles as in Crouse, 2016),
 * in float64.
 */

/**
 * Assigns each row to at most one column so that the sum of costs is least.
 * @param costs of `rows` x `columns`, row by row; Infinity forbids a pair.
 * @returns the column of each row, -1 where there are fewer columns than rows. Among several best assignments it is that
 * of SciPy's `linear_sum_assignment`.
 * @throws Error if no assignment has a finite cost.
 */
export function solveAssignment(costs: Float64Array, rows: number, columns: number): Int32Array {
  if (rows <= columns) return new Problem(costs, rows, columns).solve();
  const transposed = Float64Array.from(costs, (_, i) => costs[(i % rows) * columns + Math.floor(i / rows)] as number);
  const rowOfColumn = new Problem(transposed, columns, rows).solve();
  const columnOfRow = new Int32Array(rows).fill(-1);
  rowOfColumn.forEach((row, column) => (columnOfRow[row] = column));
  return columnOfRow;
}

/** Rows are at most as many as columns. */
class Problem {
  private readonly rowPrice: Float64Array;
  private readonly columnPrice: Float64Array;
  private readonly columnOfRow: Int32Array;
  private readonly rowOfColumn: Int32Array;
  /** Of the shortest path to a column, and the row before it there. */
  private readonly distance: Float64Array;
  private readonly before: Int32Array;

  constructor(
    private readonly costs: Float64Array,
    private readonly rows: number,
    private readonly columns: number,
  ) {
    this.rowPrice = new Float64Array(rows);
    this.columnPrice = new Float64Array(columns);
    this.columnOfRow = new Int32Array(rows).fill(-1);
    this.rowOfColumn = new Int32Array(columns).fill(-1);
    this.distance = new Float64Array(columns);
    this.before = new Int32Array(columns);
  }

  solve(): Int32Array {
    for (let row = 0; row < this.rows; row++) this.assign(row);
    return this.columnOfRow;
  }

  private assign(first: number): void {
    const { columns, distance, rowOfColumn } = this;
    distance.fill(Infinity);
    const seenRows: number[] = [];
    const seenColumns: number[] = [];
    // In reverse, and the last takes the place of one that is done: among equal ones SciPy takes them in this order.
    const open = Int32Array.from({ length: columns }, (_, i) => columns - 1 - i);
    let shortest = 0;
    let sink = -1;
    for (let row = first, left = columns; sink < 0; left--) {
      seenRows.push(row);
      const next = this.nearest(row, shortest, open.subarray(0, left));
      const column = open[next] as number;
      shortest = distance[column] as number;
      seenColumns.push(column);
      open[next] = open[left - 1] as number;
      row = rowOfColumn[column] as number;
      if (row < 0) sink = column;
    }
    this.reprice(first, shortest, seenRows, seenColumns);
    this.augment(first, sink);
  }

  /** Where in `open` the column is that is nearest after steps from the row; a free one if several are. */
  private nearest(row: number, shortest: number, open: Int32Array): number {
    const { costs, columns, distance, before, rowOfColumn, columnPrice } = this;
    const price = this.rowPrice[row] as number;
    let next = -1;
    let lowest = Infinity;
    for (let i = 0; i < open.length; i++) {
      const column = open[i] as number;
      const reduced = shortest + (costs[row * columns + column] as number) - price - (columnPrice[column] as number);
      if (reduced < (distance[column] as number)) {
        distance[column] = reduced;
        before[column] = row;
      }
      const found = distance[column] as number;
      if (found < lowest || (found === lowest && (rowOfColumn[column] as number) < 0)) {
        lowest = found;
        next = i;
      }
    }
    if (lowest === Infinity) throw new Error('no assignment has a finite cost');
    return next;
  }

  private reprice(first: number, shortest: number, rows: readonly number[], columns: readonly number[]): void {
    const { rowPrice, columnPrice, distance, columnOfRow } = this;
    for (const row of rows) {
      const paid = row === first ? 0 : (distance[columnOfRow[row] as number] as number);
      rowPrice[row] = (rowPrice[row] as number) + (shortest - paid);
    }
    for (const column of columns) {
      columnPrice[column] = (columnPrice[column] as number) - (shortest - (distance[column] as number));
    }
  }

  /** Each row on the path takes the column that follows it. */
  private augment(first: number, sink: number): void {
    const { before, columnOfRow, rowOfColumn } = this;
    for (let column = sink, row = -1; row !== first;) {
      row = before[column] as number;
      rowOfColumn[column] = row;
      [columnOfRow[row], column] = [column, columnOfRow[row] as number];
    }
  }
}
