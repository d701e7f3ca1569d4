/** Non-maximum suppression as one work group: in turn, all its threads look for the best box and drop what overlaps it. */
import type { WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu';

const THREADS = 256;

/**
 * Of boxes float32 [A, 4], (y1, x1, y2, x2) with either corner first, and scores float32 [A]: int32 [K + 1 + A], the rows
 * that are kept, their number, and for every box whether it is still in play. Of equal scores the lower row comes first.
 */
export class SuppressionProgram implements WebGPUProgram {
  readonly variableNames = ['boxes', 'scores'];
  readonly uniforms = 'boxCount : i32, most : i32, iouThreshold : f32, scoreThreshold : f32,';
  readonly shaderKey = 'suppression';
  readonly workgroupSize: [number, number, number] = [THREADS, 1, 1];
  readonly dispatch: [number, number, number] = [1, 1, 1];
  readonly dispatchLayout = { x: [0] };
  readonly outputShape: number[];

  constructor(boxes: number, most: number) {
    this.outputShape = [most + 1 + boxes];
  }

  getUserCode(): string {
    return `
      const NONE = 2147483647;
      var<workgroup> bestScores : array<f32, ${THREADS}>;
      var<workgroup> bestRows : array<i32, ${THREADS}>;

      fn low(row : i32) -> vec2<f32> {
        return min(vec2<f32>(boxes[4 * row], boxes[4 * row + 1]), vec2<f32>(boxes[4 * row + 2], boxes[4 * row + 3]));
      }
      fn high(row : i32) -> vec2<f32> {
        return max(vec2<f32>(boxes[4 * row], boxes[4 * row + 1]), vec2<f32>(boxes[4 * row + 2], boxes[4 * row + 3]));
      }
      fn area(extent : vec2<f32>) -> f32 { return extent.x * extent.y; }

      fn overlap(a : i32, b : i32) -> f32 {
        let areaA = area(high(a) - low(a));
        let areaB = area(high(b) - low(b));
        if (areaA <= 0.0 || areaB <= 0.0) { return 0.0; }
        let both = max(min(high(a), high(b)) - max(low(a), low(b)), vec2<f32>(0.0));
        return area(both) / (areaA + areaB - area(both));
      }

      fn isBetter(score : f32, row : i32, than : f32, thanRow : i32) -> bool {
        return row != NONE && (thanRow == NONE || score > than || (score == than && row < thanRow));
      }

      fn main(index : i32) {
        let me = i32(localIndex);
        let inPlay = uniforms.most + 1;
        for (var row = me; row < uniforms.boxCount; row += ${THREADS}) {
          result[inPlay + row] = select(0, 1, scores[row] > uniforms.scoreThreshold);
        }
        var kept = 0;
        for (var turn = 0; turn < uniforms.most; turn++) {
          var best = NONE;
          var bestScore = 0.0;
          for (var row = me; row < uniforms.boxCount; row += ${THREADS}) {
            if (result[inPlay + row] == 1 && isBetter(scores[row], row, bestScore, best)) {
              best = row;
              bestScore = scores[row];
            }
          }
          bestScores[me] = bestScore;
          bestRows[me] = best;
          for (var half = ${THREADS / 2}; half > 0; half /= 2) {
            workgroupBarrier();
            if (me < half && isBetter(bestScores[me + half], bestRows[me + half], bestScores[me], bestRows[me])) {
              bestScores[me] = bestScores[me + half];
              bestRows[me] = bestRows[me + half];
            }
          }
          workgroupBarrier();
          let chosen = bestRows[0];
          workgroupBarrier();
          if (chosen != NONE) { kept++; }
          if (me == 0) { result[turn] = select(chosen, 0, chosen == NONE); }
          for (var row = me; row < uniforms.boxCount; row += ${THREADS}) {
            if (chosen != NONE && (row == chosen || overlap(row, chosen) >= uniforms.iouThreshold)) {
              result[inPlay + row] = 0;
            }
          }
        }
        if (me == 0) { result[uniforms.most] = kept; }
      }
    `;
  }
}
