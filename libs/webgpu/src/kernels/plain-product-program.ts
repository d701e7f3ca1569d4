/** Products of matrices without barriers: a thread a value. */
import type { WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu';
import { THREADS } from './webgpu-kernel';

/** Products that are summed in turn. */
const PART = 64;

/** Which of the matrices are given with their axes exchanged. */
export interface Exchanged {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** A [batch, rows, inner] by B [batch, inner, columns] to float32 [batch, rows, columns]; a batch of one goes with all. */
export class PlainProductProgram implements WebGPUProgram {
  readonly variableNames = ['A', 'B'];
  readonly uniforms = 'rows : i32, columns : i32, inner : i32,';
  readonly size = true;
  readonly shaderKey: string;
  readonly workgroupSize: [number, number, number] = [THREADS, 1, 1];
  readonly dispatch: [number, number, number];
  readonly dispatchLayout = { x: [0, 1, 2] };

  constructor(
    readonly outputShape: number[],
    private readonly exchanged: Exchanged,
  ) {
    const { transposeA, transposeB } = exchanged;
    this.shaderKey = `plainProduct ${transposeA} ${transposeB}`;
    const size = outputShape.reduce((product, length) => product * length, 1);
    this.dispatch = [Math.ceil(size / THREADS), 1, 1];
  }

  getUserCode(): string {
    const { transposeA, transposeB } = this.exchanged;
    const inA = transposeA ? 'k * uniforms.rows + row' : 'row * uniforms.inner + k';
    const inB = transposeB ? 'column * uniforms.inner + k' : 'k * uniforms.columns + column';
    return `
      fn main(index : i32) {
        if (index < uniforms.size) {
          let column = index % uniforms.columns;
          let row = index / uniforms.columns % uniforms.rows;
          let batch = index / uniforms.columns / uniforms.rows;
          let a = batch % uniforms.aShape.x * uniforms.rows * uniforms.inner;
          let b = batch % uniforms.bShape.x * uniforms.inner * uniforms.columns;
          var sum = 0.0;
          for (var start = 0; start < uniforms.inner; start += ${PART}) {
            var part = 0.0; // a long sum in turn would lose digits
            for (var k = start; k < min(start + ${PART}, uniforms.inner); k++) {
              part += A[a + ${inA}] * B[b + ${inB}];
            }
            sum += part;
          }
          result[index] = sum;
        }
      }
    `;
  }
}
