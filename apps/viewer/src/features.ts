/** A picture's pyramid, computed and read back. */
import { LEVELS, type Backbone, type Level } from '@pyramidal/nn';
import * as tf from '@tensorflow/tfjs-core';

/** One level of a pyramid, read back from the engine. */
export interface FeatureMap {
  readonly shape: readonly [height: number, width: number, channels: number];
  readonly values: Float32Array;
}

export type FeatureMaps = Readonly<Record<Level, FeatureMap>>;

export interface Extraction {
  readonly maps: FeatureMaps;
  /** Milliseconds of the first run, in which engines compile their programs. */
  readonly first: number;
  /** Milliseconds of the fastest later run. Both include reading the maps back. */
  readonly warm: number;
}

/** Warm runs end after so many, and none starts after so many milliseconds of them. */
const WARM_RUNS = { most: 3, milliseconds: 500 };

/**
 * Runs a backbone on one picture, several times for the timings.
 * @param input float32 [size, size, 3] values, normalised.
 */
export async function extractFeatures(backbone: Backbone, input: Float32Array, size: number): Promise<Extraction> {
  const images = tf.tensor4d(input, [1, size, size, 3]);
  try {
    const first = await timed(() => run(backbone, images));
    const warm: number[] = [];
    for (let spent = 0; warm.length < WARM_RUNS.most && spent < WARM_RUNS.milliseconds; spent += warm.at(-1)!) {
      warm.push((await timed(() => run(backbone, images))).milliseconds);
    }
    return { maps: first.result, first: first.milliseconds, warm: Math.min(...warm) };
  } finally {
    images.dispose();
  }
}

async function run(backbone: Backbone, images: tf.Tensor4D): Promise<FeatureMaps> {
  const pyramid = backbone.extract(images);
  const maps = await Promise.all(
    LEVELS.map(async (level): Promise<[Level, FeatureMap]> => {
      const [, height, width, channels] = pyramid[level].shape;
      const values = (await pyramid[level].data()) as Float32Array;
      return [level, { shape: [height, width, channels], values }];
    }),
  );
  tf.dispose(pyramid);
  return Object.fromEntries(maps) as FeatureMaps;
}

export async function timed<T>(task: () => T | Promise<T>): Promise<{ result: T; milliseconds: number }> {
  const start = performance.now();
  const result = await task();
  return { result, milliseconds: performance.now() - start };
}
