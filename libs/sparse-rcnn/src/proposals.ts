/** Learned proposals (Sparse R-CNN, Sun et al. 2021, section 3.2): boxes and features that are parameters themselves. */
import * as tf from '@tensorflow/tfjs-core';
import { extents, toCorners } from '@pyramidal/boxes';
import { Embedding, type initializers, Module } from '@pyramidal/nn';

/** P proposals for each of N images. */
export interface Proposals {
  /** float32 [N, P, 4], xyxy, pixels of the network's input. */
  readonly boxes: tf.Tensor3D;
  /** float32 [N, P, C]. */
  readonly features: tf.Tensor3D;
}

/** Where proposals start before training (table 6): centres and sizes of all of them, row by row, as shares of the image. */
const INITIAL_BOXES = {
  /** Every one is as large as the image. */
  image: (rows: number) => Array.from({ length: rows }, () => [0.5, 0.5, 1, 1]),
  /** They cover the image as a regular grid, each as large as two by two of its cells. */
  grid: (rows: number) => {
    const columns = Math.ceil(Math.sqrt(rows));
    const lines = Math.ceil(rows / columns);
    return Array.from({ length: rows }, (_, i) => {
      const [column, line] = [i % columns, Math.floor(i / columns)];
      return [(column + 0.5) / columns, (line + 0.5) / lines, 2 / columns, 2 / lines];
    });
  },
} as const;

export type InitialBoxes = keyof typeof INITIAL_BOXES;
export const INITIAL_BOX_NAMES = Object.keys(INITIAL_BOXES) as InitialBoxes[];

export class LearnedProposals extends Module {
  /** Centres and sizes as shares of the image's sides. */
  readonly initProposalBboxes: Embedding;
  readonly initProposalFeatures: Embedding;

  constructor(count: number, channels: number, initialBoxes: InitialBoxes) {
    super();
    const boxes: initializers.Initializer = () => Float32Array.from(INITIAL_BOXES[initialBoxes](count).flat());
    this.initProposalBboxes = new Embedding(count, 4, boxes);
    this.initProposalFeatures = new Embedding(count, channels);
  }

  /** @param sizes float32 [N, 2], (height, width) of each image. */
  forward(sizes: tf.Tensor2D): Proposals {
    const [images] = sizes.shape;
    const perImage = (rows: tf.Tensor): tf.Tensor3D => tf.tile(tf.expandDims(rows, 0) as tf.Tensor3D, [images, 1, 1]);
    const shares = toCorners(this.initProposalBboxes.weight.value<tf.Rank.R2>());
    return {
      boxes: tf.mul(tf.expandDims(shares, 0), extents(sizes)),
      features: perImage(this.initProposalFeatures.weight.value()),
    };
  }
}
