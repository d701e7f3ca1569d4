/** An exported detector, in TensorFlow.js's graph model, on pictures of any size. */
import {
  IMAGENET_NORMALISATION,
  imagesToTensor,
  keepRatioSize,
  type Normalisation,
  resizeImage,
  type Rgb,
  type RgbImage,
  type Size,
} from '@pyramidal/images/portable';
import type { GraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';

export interface DetectedClass {
  readonly name: string;
  readonly colour: Rgb;
}

/** An object in a picture. */
export interface FoundObject extends DetectedClass {
  readonly score: number;
  /** x1, y1, x2, y2 in pixels of the picture. */
  readonly box: readonly [number, number, number, number];
}

/** What `detect -- export` writes into a graph model. */
interface Description {
  readonly task: string;
  readonly classes: readonly DetectedClass[];
  readonly input: { readonly longest: number; readonly shortest: number };
  readonly normalisation: Normalisation;
}

/** The outputs that are asked for. */
const OUTPUTS = ['boxes', 'scores', 'labels'];

/** A detector that is ready to be used on the engine that is open. */
export class GraphDetector {
  private constructor(
    private readonly model: GraphModel,
    private readonly description: Description,
    /** Of the images that it takes. */
    readonly canvas: Size,
  ) {}

  /**
   * Reads `model.json` and the files beside it.
   * @throws Error in one line: a file is missing, or it is another model.
   */
  static async open(files: readonly File[]): Promise<GraphDetector> {
    const { loadGraphModel } = await import('@tensorflow/tfjs-converter');
    const topology = files.find(({ name }) => name.endsWith('.json'));
    if (!topology) throw new Error(`${files[0]!.name}: expected model.json and the .bin files beside it, all at once`);
    const weights = files.filter((file) => file !== topology);
    const model = await loadGraphModel(tf.io.browserFiles([topology, ...weights])).catch((error: unknown) => {
      throw new Error(`${topology.name}: ${firstLine(error)}`, { cause: error });
    });
    const description = model.metadata as Partial<Description> | undefined;
    const [, height, width] = model.inputs[0]?.shape ?? [];
    if (description?.task !== 'detection' || !height || !width) {
      model.dispose();
      throw new Error(`${topology.name}: expected a detector that \`detect -- export --format graph-model\` wrote`);
    }
    return new GraphDetector(model, description as Description, { height, width });
  }

  get classes(): readonly DetectedClass[] {
    return this.description.classes;
  }

  /** The objects in a picture, best first. */
  async detect(picture: RgbImage): Promise<FoundObject[]> {
    const { normalisation = IMAGENET_NORMALISATION } = this.description;
    const size = this.seenSize(picture);
    const seen = resizeImage(picture, { ...size, convention: 'opencv-bilinear' });
    const images = imagesToTensor([seen], normalisation, this.canvas);
    const outputs = (await this.model.executeAsync({ images }, OUTPUTS)) as tf.Tensor[];
    const [boxes, scores, labels] = await Promise.all(outputs.map((output) => output.data()));
    tf.dispose([images, outputs]);
    // The model clips to its canvas, of which the picture may be a part.
    const x = (value: number): number => Math.min((value * picture.width) / size.width, picture.width);
    const y = (value: number): number => Math.min((value * picture.height) / size.height, picture.height);
    return Array.from(scores!, (score, i) => {
      const [x1, y1, x2, y2] = boxes!.subarray(4 * i, 4 * i + 4);
      const { name, colour } = this.classes[labels![i]!]!;
      return { name, colour, score, box: [x(x1!), y(y1!), x(x2!), y(y2!)] as const };
    }).filter(({ score }) => score > 0); // rows of no score hold nothing
  }

  dispose(): void {
    this.model.dispose();
  }

  /** The size that `predict` gives a picture, or the largest that the model's canvas holds. */
  private seenSize(picture: RgbImage): Size {
    const usual = keepRatioSize(picture, this.description.input);
    const { height, width } = this.canvas;
    if (usual.height <= height && usual.width <= width) return usual;
    const scale = Math.min(height / picture.height, width / picture.width);
    const fitted = (side: number): number => Math.max(1, Math.floor(side * scale));
    return { height: fitted(picture.height), width: fitted(picture.width) };
  }
}

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
