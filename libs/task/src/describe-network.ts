/** `info`, whatever the task: what a network is made of and what it costs. */
import { type Backbone, countMultiplyAdds, LEVELS, type Module } from '@pyramidal/nn';
import * as tf from '@tensorflow/tfjs-core';

export interface DescribeOptions {
  /** What the first line says, before the input's size. */
  readonly title: string;
  readonly network: Module & { readonly backbone: Backbone };
  /** From images, float32 [1, height, width, 3]. */
  readonly forward: (images: tf.Tensor4D) => tf.TensorContainer;
  readonly height: number;
  readonly width: number;
}

/** Parameters, multiply-adds, feature shapes and memory of a network, in lines. Needs the wasm or cpu engine. */
export function describeNetwork({ title, network, forward, height, width }: DescribeOptions): string[] {
  const { backbone } = network;
  const images = tf.zeros<tf.Rank.R4>([1, height, width, 3]);
  const { conv, linear } = countMultiplyAdds(() => forward(images));
  images.dispose();
  const attention = backbone.attentionMultiplyAdds(height, width);
  const parameters = network.parameterCount();
  const sizes = backbone.mapSizes(height, width);
  const features = LEVELS.reduce((sum, level) => {
    const [rows, columns] = sizes[level];
    return sum + rows * columns * backbone.levels[level].channels;
  }, 0);
  return [
    `${title}, input ${height}x${width}`,
    `parameters      ${millions(parameters)} (backbone ${millions(backbone.parameterCount())})`,
    `multiply-adds   ${billions(conv + linear + attention)} (convolutions ${billions(conv)}, linear ${billions(linear)}, attention ${billions(attention)})`,
    ...LEVELS.map((level) => {
      const { stride, channels } = backbone.levels[level];
      return `${level}  ${sizes[level].join('x')}x${channels}, stride ${stride}`;
    }),
    `memory          weights ${megabytes(parameters)}, with AdamW ${megabytes(3 * parameters)}, features ${megabytes(features)} an image`,
  ];
}

const millions = (count: number): string => `${(count / 1e6).toFixed(2)} M`;
const billions = (count: number): string => `${(count / 1e9).toFixed(3)} G`;
const megabytes = (floats: number): string => `${((4 * floats) / 2 ** 20).toFixed(1)} MiB`;
