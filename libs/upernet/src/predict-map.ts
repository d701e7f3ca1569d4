/** Label maps at the size of the original image, from the logits of its views, in bounded memory. */
import * as tf from '@tensorflow/tfjs-core';
import { ownArgMaxOfResized } from '@pyramidal/kernels';
import type { Rows } from './resize-rows';
import { viewLogits, type View } from './view';
import type { ImageSize } from './slide-windows';

/** Class values of a map that are in memory at a time: 4 MiB of floats, some six times over. */
const STRIP = 2 ** 20;

/**
 * Class probabilities at the size of the original image, the mean over views, strip by strip from top to bottom.
 * @returns float32 [rows, width, K] of each strip, the caller's to dispose.
 */
export function* probabilityStrips(views: readonly View[], size: ImageSize): Generator<tf.Tensor3D, void, void> {
  for (const rows of strips(views, size)) yield tf.tidy(() => meanProbabilities(views, size, rows));
}

/** Rows of the image whose values may be in memory at a time. */
function* strips(views: readonly View[], size: ImageSize): Generator<Rows, void, void> {
  const classes = views[0]!.windows[0]!.logits.shape[3];
  const height = Math.max(1, Math.floor(STRIP / (size.width * classes)));
  for (let start = 0; start < size.height; start += height) {
    yield { start, end: Math.min(start + height, size.height) };
  }
}

function meanProbabilities(views: readonly View[], size: ImageSize, rows: Rows): tf.Tensor3D {
  const seen = views.map((view) => viewProbabilities(view, size, rows));
  return seen.length === 1 ? seen[0]! : tf.div(tf.addN(seen), seen.length);
}

/**
 * The likeliest class of every pixel of the original image. Full-size logits exist only strip by strip, so memory does
 * not grow with the image.
 * @param afterStrip told how many bytes a strip has left behind, which nobody holds.
 * @returns classes, [size.height * size.width] row by row.
 */
export async function predictMap(
  views: readonly View[],
  size: ImageSize,
  afterStrip: (bytes: number) => Promise<void> = async () => undefined,
): Promise<Uint8Array> {
  const map = new Uint8Array(size.height * size.width);
  const likeliest = likeliestClasses(views, size);
  if (likeliest !== null) {
    map.set(await likeliest.data());
    likeliest.dispose();
    return map;
  }
  for (const rows of strips(views, size)) {
    const classes = tf.tidy(() => tf.argMax(scoresOf(views, size, rows), 2));
    map.set(await classes.data(), rows.start * size.width);
    tf.dispose(classes);
    await afterStrip(4 * classes.size);
  }
  return map;
}

/** The same by one operation, where the engine has it and there is one view with one window. */
function likeliestClasses([view, ...others]: readonly View[], size: ImageSize): tf.Tensor2D | null {
  const [window, ...further] = view!.windows;
  if (others.length > 0 || further.length > 0 || view!.isMirrored) return null;
  const sizes = [window!, size].map(({ height, width }) => [height, width] as const);
  return ownArgMaxOfResized(window!.logits, sizes);
}

/** What ranks the classes as their probabilities do: of one view its logits. */
function scoresOf(views: readonly View[], size: ImageSize, rows: Rows): tf.Tensor3D {
  const [view] = views;
  return views.length === 1 && !view!.isMirrored
    ? tf.squeeze<tf.Tensor3D>(viewLogits(view!, size, rows), [0])
    : meanProbabilities(views, size, rows);
}

/** Frees the logits of views. */
export function disposeViews(views: readonly View[]): void {
  for (const { windows } of views) tf.dispose(windows.map(({ logits }) => logits));
}

function viewProbabilities(view: View, size: ImageSize, rows: Rows): tf.Tensor3D {
  const probabilities = tf.squeeze<tf.Tensor3D>(tf.softmax(viewLogits(view, size, rows)), [0]);
  return view.isMirrored ? tf.reverse(probabilities, 1) : probabilities;
}
