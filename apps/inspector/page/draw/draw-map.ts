/** Label maps as pictures: every class in its colour, or where two maps differ. */
import type { ClassAbout } from '../../src/protocol';
import type { MapLayer } from '../view';

export interface Maps {
  readonly width: number;
  readonly height: number;
  readonly label: Uint8Array;
  readonly prediction: Uint8Array | undefined;
}

/** Red for wrong pixels, green for right ones; what is not labelled stays clear. */
const [WRONG, RIGHT] = [
  [213, 94, 0],
  [0, 158, 115],
] as const;

/** Undefined where there is nothing to draw. */
export function drawMap(maps: Maps, layer: MapLayer, classes: readonly ClassAbout[]): HTMLCanvasElement | undefined {
  const { width, height, label, prediction } = maps;
  const values = layer === 'label' ? label : prediction;
  if (layer === 'picture' || values === undefined) return undefined;
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const pen = canvas.getContext('2d')!;
  const pixels = pen.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const isLabelled = label[i]! < classes.length;
    const colour = layer === 'difference' ? (label[i] === values[i] ? RIGHT : WRONG) : classes[values[i]!]?.colour;
    if (colour === undefined || (layer === 'difference' && !isLabelled)) continue;
    pixels.data.set([...colour, 255], 4 * i);
  }
  pen.putImageData(pixels, 0, 0);
  return canvas;
}
