/** Augmentation that composes images, in its order: mosaic, a turn, copy-paste, colours. Resizing, cropping and mirroring follow. */
import { distortColours, type Rgb } from '@pyramidal/images';
import { Random, type Seed } from '@pyramidal/random';
import { copyPaste, type CopyPasteOptions } from './copy-paste';
import { mosaic } from './mosaic';
import { rotateScene } from './rotate';
import type { Scene } from './scene';

export interface SceneOptions {
  /** Share of the images that become one of four. */
  readonly mosaic?: number;
  /** Largest turn to either side, in degrees. */
  readonly rotate?: number;
  readonly copyPaste?: CopyPasteOptions | undefined;
  /** Random brightness, contrast, saturation and hue. */
  readonly photometric?: boolean;
  /** An object of which a smaller share is left is neither learned nor background. */
  readonly minVisible?: number;
}

/** Images besides its own that a sample is made of, at most. */
export const partnersOf = ({ mosaic: share = 0, copyPaste: pasting }: SceneOptions): number =>
  (share > 0 ? MOSAIC : 0) + (pasting !== undefined && pasting.probability > 0 ? 1 : 0);

/** Other images of a mosaic. */
const MOSAIC = 3;

/** The stream of random numbers for it: what follows draws the same with and without it. */
const SCENE = 11;

/** Share of an object that has to be left. */
const MIN_VISIBLE = 0.25;

/**
 * @param open reads the n-th partner; only those that are needed are read.
 * @param fill the colour of what a turn lets in.
 */
export async function augmentScene(
  read: Scene,
  options: SceneOptions,
  open: (partner: number) => Promise<Scene>,
  fill: Rgb,
  seed: Seed,
): Promise<Scene> {
  const { mosaic: share = 0, rotate = 0, copyPaste: pasting, photometric = false, minVisible = MIN_VISIBLE } = options;
  const random = new Random([...seed, SCENE]);
  let scene = read;
  if (share > 0 && random.chance(share)) {
    scene = mosaic(scene, await Promise.all(Array.from({ length: MOSAIC }, (_, i) => open(i))), minVisible, random);
  }
  if (rotate > 0) scene = rotateScene(scene, random.uniform(-rotate, rotate), fill, minVisible);
  if (pasting !== undefined && random.chance(pasting.probability)) {
    scene = copyPaste(scene, await open(share > 0 ? MOSAIC : 0), pasting, minVisible, random);
  }
  return photometric ? { ...scene, image: distortColours(scene.image, random) } : scene;
}
