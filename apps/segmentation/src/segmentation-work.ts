/** What a segmentor does with images of any source, one after the other. */
import {
  type EvaluationSample,
  type EvaluationTransform,
  prepareEvaluation,
  type SegmentationClass,
} from '@pyramidal/ade20k';
import type { ImageSource } from '@pyramidal/images';
import type { Predictor } from '@pyramidal/inference';
import type { Segmentor } from '@pyramidal/upernet';
import type * as tf from '@tensorflow/tfjs-core';
import { evaluationTransform, segmentorPredictor } from './assemble';
import type { SegmentationConfig } from './config';
import { countLabels } from './draw-map';
import { segmentImage } from './segment-image';

/** A class that an image shows. */
export interface Segment {
  /** Index into the segmentor's classes. */
  readonly label: number;
  readonly name: string;
  /** Its part of the image's pixels, from 0 to 1. */
  readonly share: number;
}

/** What an image shows. */
export interface SegmentedImage {
  /** Of the image, in pixels. */
  readonly width: number;
  readonly height: number;
  /** The class of each pixel, [height * width], row by row. */
  readonly map: Uint8Array;
  /** The classes that occur, the most frequent first. */
  readonly segments: readonly Segment[];
}

/** What it works with. */
interface Parts {
  readonly config: SegmentationConfig;
  readonly data: { readonly classes: readonly SegmentationClass[] };
  readonly network: Segmentor;
}

/** The work of a queue; the network stays the caller's. */
export class SegmentationWork {
  /** Images differ in size, and each may take several passes. */
  readonly largestBatch = 1;
  private readonly predict: Predictor<tf.Tensor4D>;
  private readonly transform: EvaluationTransform;

  constructor(private readonly parts: Parts) {
    this.predict = segmentorPredictor(parts.network, parts.config);
    this.transform = evaluationTransform(parts.config);
  }

  prepare(image: ImageSource, name: string): Promise<EvaluationSample> {
    return prepareEvaluation(image, this.transform, name);
  }

  keyOf(): string {
    return 'image';
  }

  run(batch: readonly EvaluationSample[]): Promise<SegmentedImage[]> {
    return Promise.all(batch.map((sample) => this.segment(sample)));
  }

  async close(): Promise<void> {
    this.predict.dispose();
  }

  private async segment(sample: EvaluationSample): Promise<SegmentedImage> {
    const map = await segmentImage(this.predict, sample, this.parts.config);
    return { ...sample.original, map, segments: segmentsOf(map, this.parts.data.classes) };
  }
}

function segmentsOf(map: Uint8Array, classes: readonly SegmentationClass[]): Segment[] {
  const counts = countLabels(map);
  return classes
    .map(({ name }, label) => ({ label, name, share: counts[label]! / map.length }))
    .filter(({ share }) => share > 0)
    .sort((a, b) => b.share - a.share || a.label - b.label);
}
