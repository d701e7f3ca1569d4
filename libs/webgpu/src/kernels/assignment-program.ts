/** The assignment problem by shortest augmenting paths (Jonker and Volgenant, 1987), a thread an image, in float32. */
import type { WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu';

/** What a thread keeps, each as long as the longer side of the matrix. */
const KEPT = [
  ...['ROWS', 'COLUMNS', 'ROW_PRICE', 'COLUMN_PRICE', 'DISTANCE', 'BEFORE', 'OPEN'],
  ...['COLUMN_OF_ROW', 'ROW_OF_COLUMN', 'SEEN_ROWS', 'SEEN_COLUMNS'],
] as const;

/**
 * Of costs float32 [N, R, C], and which rows, bool [N, R], and columns, bool [N, C], take part: int32, the column of each row
 * [N, R], the row of each column [N, C], -1 where there is none, then what the threads keep. Rows of the problem are the
 * shorter side; among several best assignments it takes that of SciPy's `linear_sum_assignment`, but for rounding.
 */
export class AssignmentProgram implements WebGPUProgram {
  readonly variableNames = ['costs', 'rows', 'columns'];
  readonly uniforms = 'images : i32, height : i32, width : i32,';
  readonly shaderKey = 'assignment';
  readonly workgroupSize: [number, number, number] = [1, 1, 1];
  readonly dispatch: [number, number, number];
  readonly dispatchLayout = { x: [0] };
  readonly outputShape: number[];

  constructor(images: number, height: number, width: number) {
    this.dispatch = [images, 1, 1];
    this.outputShape = [images * (height + width + KEPT.length * Math.max(height, width))];
  }

  getUserCode(): string {
    return `
      ${KEPT.map((name, i) => `const ${name} = ${i};`).join('\n      ')}
      const FAR = 3.0e38;
      var<private> image : i32;
      var<private> turned : bool;

      fn at(kept : i32, i : i32) -> i32 {
        let results = uniforms.images * (uniforms.height + uniforms.width);
        return results + (image * ${KEPT.length} + kept) * max(uniforms.height, uniforms.width) + i;
      }
      fn whole(kept : i32, i : i32) -> i32 { return result[at(kept, i)]; }
      fn real(kept : i32, i : i32) -> f32 { return bitcast<f32>(result[at(kept, i)]); }
      fn keep(kept : i32, i : i32, value : i32) { result[at(kept, i)] = value; }
      fn keepReal(kept : i32, i : i32, value : f32) { result[at(kept, i)] = bitcast<i32>(value); }

      fn cost(row : i32, column : i32) -> f32 {
        let a = whole(ROWS, row);
        let b = whole(COLUMNS, column);
        return costs[(image * uniforms.height + select(a, b, turned)) * uniforms.width + select(b, a, turned)];
      }

      // Gives a row a column; other rows change theirs where that costs less in all.
      fn assignRow(first : i32, columnCount : i32) {
        for (var i = 0; i < columnCount; i++) {
          keepReal(DISTANCE, i, FAR);
          keep(OPEN, i, columnCount - 1 - i);
        }
        var row = first;
        var steps = 0;
        var shortest = 0.0;
        var sink = -1;
        while (sink < 0) {
          keep(SEEN_ROWS, steps, row);
          let price = real(ROW_PRICE, row);
          let openCount = columnCount - steps;
          var nearest = -1;
          var lowest = FAR;
          for (var i = 0; i < openCount; i++) {
            let column = whole(OPEN, i);
            let paid = cost(row, column);
            let reduced = shortest + paid - price - real(COLUMN_PRICE, column);
            if (paid < FAR && reduced < real(DISTANCE, column)) {
              keepReal(DISTANCE, column, reduced);
              keep(BEFORE, column, row);
            }
            let found = real(DISTANCE, column);
            if (found < lowest || (found == lowest && whole(ROW_OF_COLUMN, column) < 0)) {
              lowest = found;
              nearest = i;
            }
          }
          if (!(lowest < FAR)) { return; }
          let column = whole(OPEN, nearest);
          shortest = lowest;
          keep(SEEN_COLUMNS, steps, column);
          keep(OPEN, nearest, whole(OPEN, openCount - 1));
          steps++;
          row = whole(ROW_OF_COLUMN, column);
          if (row < 0) { sink = column; }
        }
        for (var i = 0; i < steps; i++) {
          let seen = whole(SEEN_ROWS, i);
          var before = 0.0;
          if (seen != first) { before = real(DISTANCE, whole(COLUMN_OF_ROW, seen)); }
          keepReal(ROW_PRICE, seen, real(ROW_PRICE, seen) + (shortest - before));
          let column = whole(SEEN_COLUMNS, i);
          keepReal(COLUMN_PRICE, column, real(COLUMN_PRICE, column) - (shortest - real(DISTANCE, column)));
        }
        row = -1;
        while (row != first) {
          row = whole(BEFORE, sink);
          keep(ROW_OF_COLUMN, sink, row);
          let followed = whole(COLUMN_OF_ROW, row);
          keep(COLUMN_OF_ROW, row, sink);
          sink = followed;
        }
      }

      fn main(index : i32) {
        if (index >= uniforms.images) { return; }
        image = index;
        let firstRow = image * uniforms.height;
        let firstColumn = image * uniforms.width;
        let rowResults = uniforms.images * uniforms.height;
        var rowCount = 0;
        for (var i = 0; i < uniforms.height; i++) {
          rowCount += rows[firstRow + i];
          result[firstRow + i] = -1;
        }
        var columnCount = 0;
        for (var i = 0; i < uniforms.width; i++) {
          columnCount += columns[firstColumn + i];
          result[rowResults + firstColumn + i] = -1;
        }
        turned = rowCount > columnCount;
        var listed = 0;
        for (var i = 0; i < uniforms.height; i++) {
          if (rows[firstRow + i] == 1) {
            keep(select(ROWS, COLUMNS, turned), listed, i);
            listed++;
          }
        }
        listed = 0;
        for (var i = 0; i < uniforms.width; i++) {
          if (columns[firstColumn + i] == 1) {
            keep(select(COLUMNS, ROWS, turned), listed, i);
            listed++;
          }
        }
        let shorter = min(rowCount, columnCount);
        let longer = max(rowCount, columnCount);
        for (var i = 0; i < longer; i++) {
          keepReal(ROW_PRICE, i, 0.0);
          keepReal(COLUMN_PRICE, i, 0.0);
          keep(COLUMN_OF_ROW, i, -1);
          keep(ROW_OF_COLUMN, i, -1);
        }
        for (var row = 0; row < shorter; row++) { assignRow(row, longer); }
        for (var i = 0; i < shorter; i++) {
          let column = whole(COLUMN_OF_ROW, i);
          if (column >= 0) {
            let a = whole(ROWS, i);
            let b = whole(COLUMNS, column);
            result[firstRow + select(a, b, turned)] = select(b, a, turned);
            result[rowResults + firstColumn + select(b, a, turned)] = select(a, b, turned);
          }
        }
      }
    `;
  }
}
