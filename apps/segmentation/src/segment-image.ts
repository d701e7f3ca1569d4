/** One picture's map of classes. */
import { collectGarbage } from '@pyramidal/images';
import type { EvaluationSample } from '@pyramidal/ade20k';
import { disposeViews, inferView, type Network, predictMap, type View } from '@pyramidal/upernet';
import * as tf from '@tensorflow/tfjs-core';
import type { SegmentationConfig } from './config';

/**
 * Classes of an image at its own size, looked at as the configuration says.
 * @returns [height * width], row by row.
 */
export async function segmentImage(
  network: Network,
  { scaled, original }: EvaluationSample,
  { inference, testTime }: Pick<SegmentationConfig, 'inference' | 'testTime'>,
): Promise<Uint8Array> {
  const views: View[] = [];
  try {
    for (const { pixels, height, width } of scaled) {
      const image = tf.tensor4d(pixels, [1, height, width, 3]);
      views.push(inferView(network, image, inference));
      if (testTime.flip) views.push(inferView(network, image, inference, true));
      image.dispose();
    }
    return await predictMap(views, original, frugal());
  } finally {
    disposeViews(views);
  }
}

/** Bytes that may be left behind before they are freed: the map of a large image leaves hundreds of megabytes, a strip at a time. */
const LEFT_BEHIND = 24 << 20;

/** Frees what was left behind, each time that it has become much. */
function frugal(): (bytes: number) => Promise<void> {
  let left = 0;
  return async (bytes) => {
    left += bytes;
    if (left < LEFT_BEHIND) return;
    left = 0;
    await collectGarbage();
  };
}
