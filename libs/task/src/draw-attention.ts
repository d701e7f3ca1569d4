/** Pictures of what a backbone attends to, for each level and module. */
import { writeFileAtomically } from '@pyramidal/files';
import { encodeImage, IMAGENET_NORMALISATION, resizeImage, restoreImage, type RgbImage } from '@pyramidal/images';
import { contactSheet, drawAnnotations, tintHeat } from '@pyramidal/pictures';
import { type AttentionObserver, type Backbone, ForwardPass, type Level, LEVELS } from '@pyramidal/nn';
import { resizeBilinear } from '@pyramidal/kernels';
import * as tf from '@tensorflow/tfjs-core';

/** Longer side of a tile, in pixels. */
const TILE = 240;
const INK = [17, 24, 39] as const;

/** What a network sees of an image. */
export interface NetworkInput {
  /** float32 [height, width, 3] values, normalised. */
  readonly pixels: Float32Array;
  readonly height: number;
  readonly width: number;
}

/** Where a module of one level looks: how much each cell counts, over heads on average, float32 [1, H, W, 1]. */
interface LevelMap {
  readonly name: string;
  readonly level: Level;
  readonly map: tf.Tensor4D;
}

/**
 * Draws what a backbone attends to: for each level a sheet, `<path>-<level>.jpg`, with what the network sees and the
 * same under the map of each attending module, in their order; blue counts least, red most.
 */
export async function drawAttention(backbone: Backbone, input: NetworkInput, path: string): Promise<void> {
  const tile = tileSize(input);
  const picture = resizeImage(restoreImage(input.pixels, input, IMAGENET_NORMALISATION), {
    ...tile,
    convention: 'opencv-bilinear',
  });
  const maps = attentionMaps(backbone, input);
  for (const level of LEVELS) {
    const tiles: RgbImage[] = [picture];
    for (const { name, map } of maps.filter((one) => one.level === level)) {
      const heat = tf.tidy(() => resizeBilinear(map, [tile.height, tile.width], { alignCorners: false }));
      const tinted = tintHeat(picture, (await heat.data()) as Float32Array);
      tiles.push(await drawAnnotations(tinted, [{ label: shortName(name), colour: INK }]));
      heat.dispose();
    }
    writeFileAtomically(`${path}-${level}.jpg`, await encodeImage(contactSheet(tiles), 'jpeg'));
  }
  tf.dispose(maps.map(({ map }) => map));
}

/** The maps of every attending module, the caller's to dispose. */
function attentionMaps(backbone: Backbone, { pixels, height, width }: NetworkInput): LevelMap[] {
  const names = new Map([...backbone.modules()].map(([name, module]) => [module, name]));
  const sizes = backbone.mapSizes(height, width);
  const found: LevelMap[] = [];
  const onAttention: AttentionObserver = (module, { map }) => {
    const level = LEVELS.find((one) => sizes[one].join() === map.shape.slice(1, 3).join())!;
    found.push({ name: names.get(module)!, level, map: tf.keep(tf.mean<tf.Tensor4D>(map, 3, true)) });
  };
  tf.tidy(() => {
    const images = tf.tensor4d(pixels, [1, height, width, 3]);
    backbone.forward(images, new ForwardPass({ mode: 'infer', onAttention }));
  });
  return found;
}

/** The end of a module's path, from its block on: `gma_stage.0.att`. */
const shortName = (path: string): string => /[^.]+\.\d+(\.[a-z]\w*)*$/.exec(path)?.[0] ?? path;

function tileSize({ height, width }: NetworkInput): { height: number; width: number } {
  const factor = TILE / Math.max(height, width);
  return { height: Math.max(1, Math.round(height * factor)), width: Math.max(1, Math.round(width * factor)) };
}
