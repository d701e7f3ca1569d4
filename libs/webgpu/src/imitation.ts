/**
 * What is computed otherwise on programs that imitate a card: at every barrier they switch between the threads of a group, which is
 * most of their work where values are few.
 */
import type { WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { PlainProductProgram } from './kernels/plain-product-program';
import { TransposeProgram } from './kernels/transpose';

/** What is looked at of the package's programs. */
interface BuiltInProgram extends WebGPUProgram {
  readonly inputShape?: readonly number[];
  readonly type?: string;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly addBias?: boolean;
  readonly activation?: unknown;
}

/** By the names of the package's programs, others that compute the same. */
const WITHOUT_BARRIERS: Readonly<Record<string, (program: BuiltInProgram) => WebGPUProgram>> = {
  ReduceProgram: inGroupsOfOne,
  SoftmaxProgram: inGroupsOfOne,
  ArgMinMaxProgram: (program) => (program.type === 'shared' ? inGroupsOfOne(program) : program),
  BinaryOpProgram: (program) => (program.type === 'shared' ? unshared(program) : program),
  TransposeSharedProgram: ({ outputShape: [height, width] }) => new TransposeProgram([width!, height!], [1, 0]),
  MatMulReduceProgram: plainProduct,
  MatMulSmallOutputSizeProgram: plainProduct,
  MatMulPackedProgram: plainProduct,
};

/** The program itself, or one without barriers that computes the same. */
export const withoutBarriers = (program: WebGPUProgram): WebGPUProgram =>
  WITHOUT_BARRIERS[program.constructor.name]?.(program) ?? program;

/** Convolutions become products of matrices, whatever their size. */
export const convolveByProducts = (): void => tf.env().set('WEBGPU_CONV_SEPARATE_IM2COL_SHADER', true);

/** Values that one thread sums in turn; of more it would lose digits. */
const MOST_IN_TURN = 512;

/** Of a program with a group a value: a group of one has nobody to wait for. */
function inGroupsOfOne(program: BuiltInProgram): WebGPUProgram {
  const { inputShape, outputShape } = program;
  const isLong = (inputShape ?? outputShape).at(-1)! > MOST_IN_TURN;
  return isLong ? program : Object.assign(program, { workgroupSize: [1, 1, 1] });
}

/** Of a program that shares the shorter of its inputs within a group. */
function unshared(program: BuiltInProgram): WebGPUProgram {
  return Object.assign(program, { type: 'nonshared', shaderKey: `${program.shaderKey} nonshared` });
}

function plainProduct(program: BuiltInProgram): WebGPUProgram {
  const { outputShape, transposeA = false, transposeB = false, addBias, activation } = program;
  return addBias || activation ? program : new PlainProductProgram(outputShape, { transposeA, transposeB });
}
