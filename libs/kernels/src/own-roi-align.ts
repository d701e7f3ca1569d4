/** RoIAlign (Mask R-CNN, section 3) as one operation of this project's addon, which keeps no points. */
import * as tf from '@tensorflow/tfjs-core';
import { processorOps, recordedProcessorOps } from '#native-ops';

/** RoIs in cells of their own maps. */
export interface RoiPlaces {
  /** float32 [R, 4]: left, top, width, height, in which the centre of the first cell is at 0. */
  readonly places: tf.Tensor2D;
  /** int32 [R], the image of each. */
  readonly images: tf.Tensor1D;
  /** int32 [R], the map of each. */
  readonly levels: tf.Tensor1D;
}

/** Whether graphs of the engine that is open have such an operation. */
export const hasOwnRoiAlign = (): boolean => processorOps() !== null;

/**
 * Averages bilinear samples of the maps in every bin of every RoI; samples more than a cell outside of a map count as zero.
 * @param maps float32 [N, H, W, C] each.
 * @param bins along height and width.
 * @param sampling points per bin and axis, or as many as a bin has cells, rounded up.
 * @returns float32 [R, bins height, bins width, C], with gradients for the maps; null where there is no such operation. Only graphs have it.
 */
export function ownRoiAlign(
  maps: readonly tf.Tensor4D[],
  { places, images, levels }: RoiPlaces,
  [height, width]: readonly [height: number, width: number],
  sampling: number | 'adaptive',
): tf.Tensor4D | null {
  const own = recordedProcessorOps();
  if (own === null) return null;
  const attrs = [
    own.int('maps', maps.length),
    own.int('height', height),
    own.int('width', width),
    own.int('sampling', sampling === 'adaptive' ? 0 : sampling),
  ];
  const shapes = own.int('shapes', maps.flatMap(({ shape }) => shape)); // prettier-ignore
  return tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    save([places, images, levels]);
    return {
      value: own.run('PyramidalRoiAlign', [...(args as tf.Tensor[]), places, images, levels], attrs),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        own.runMany('PyramidalRoiAlignGrad', [dy, ...saved], [...attrs, shapes], maps.length),
    };
  })(...maps) as tf.Tensor4D;
}
