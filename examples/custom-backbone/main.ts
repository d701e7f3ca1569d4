/** A program on a backbone of its own: `npm start train config.yaml`, and every other command of pyramidal-classify. */
import { type BackboneFamily, type BackboneSizes, pyramidLevels } from '@pyramidal/backbones';
import { defineClassification } from '@pyramidal/classification';
import { runApp, runProgram } from '@pyramidal/task';
import { Backbone, Conv2d, type Pyramid } from '@pyramidal/nn';
import * as tf from '@tensorflow/tfjs-core';

/** Five convolutions of stride 2: a stem, and one for each of C2 to C5. */
class PlainNet extends Backbone {
  readonly levels;
  readonly convs: Conv2d[];

  constructor({ channels }: BackboneSizes) {
    super();
    this.levels = pyramidLevels(channels);
    const widths = [3, channels[0], ...channels];
    this.convs = widths.slice(1).map((width, i) => new Conv2d(widths[i]!, width, 3, { stride: 2 }));
  }

  /** @param images float32 [N, H, W, 3]. @returns float32 [N, ceil(H / stride), ceil(W / stride), channels] a level. */
  forward(images: tf.Tensor4D): Pyramid {
    let map = images;
    const [, C2, C3, C4, C5] = this.convs.map((conv) => (map = tf.relu(conv.forward(map))));
    return { C2: C2!, C3: C3!, C4: C4!, C5: C5! };
  }

  protected stageOf(name: string): number {
    return Number(name.split('.')[1]); // convs.0 is the stem
  }

  attentionMultiplyAdds(): number {
    return 0;
  }
}

const plainNet = {
  variants: { plain_tiny: { channels: [16, 32, 64, 128] }, plain_small: { channels: [32, 64, 128, 256] } },
  create: (sizes) => new PlainNet(sizes),
} as const satisfies BackboneFamily;

runProgram('plain-net', () => runApp(defineClassification({ backbones: [plainNet] })));
