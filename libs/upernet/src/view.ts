/** What a network predicts of an image at one size, as a whole or window by window (MMSegmentation's test modes). */
import * as tf from '@tensorflow/tfjs-core';
import { resizeRows, sourceRows, type Rows } from './resize-rows';
import { slideWindows, type ImageSize, type SlideWindow } from './slide-windows';

/** How an image is predicted: as a whole, or in overlapping windows whose logits are averaged. */
export type InferenceMode =
  { readonly mode: 'whole' } | { readonly mode: 'slide'; readonly crop: ImageSize; readonly stride: ImageSize };

/** Logits of an image at one size, mirrored or not, as small as the network gives them. */
export interface View extends ImageSize {
  readonly isMirrored: boolean;
  readonly windows: readonly (SlideWindow & { readonly logits: tf.Tensor4D })[];
}

/** From an image, float32 [1, H, W, 3], to logits, float32 [1, h, w, K], the caller's. */
export type Network = (image: tf.Tensor4D) => tf.Tensor4D;

/**
 * Runs the network on an image.
 * @param image float32 [1, H, W, 3], normalised.
 * @returns a view; its logits are the caller's to dispose.
 */
export function inferView(network: Network, image: tf.Tensor4D, inference: InferenceMode, isMirrored = false): View {
  const [, height, width] = image.shape;
  const windows =
    inference.mode === 'slide'
      ? slideWindows({ height, width }, inference.crop, inference.stride)
      : [{ y: 0, x: 0, height, width }];
  const through = (window: SlideWindow): tf.Tensor4D =>
    tf.tidy(() => {
      const seen = isMirrored ? tf.reverse(image, 2) : image;
      return network(tf.slice(seen, [0, window.y, window.x, 0], [1, window.height, window.width, 3]));
    });
  return { height, width, isMirrored, windows: windows.map((window) => ({ ...window, logits: through(window) })) };
}

/** Logits of some rows of a view at another size, float32 [1, rows, size.width, K], still mirrored if the view is. */
export function viewLogits(view: View, size: ImageSize, rows: Rows): tf.Tensor4D {
  return tf.tidy(() => {
    const needed = sourceRows(view.height, size.height, rows);
    return resizeRows(averagedLogits(view, needed), needed, view.height, size, rows);
  });
}

/** Rows of the logits at the view's own size: the mean over the windows that hold a pixel. */
function averagedLogits(view: View, rows: Rows): tf.Tensor4D {
  const counts = new Float32Array((rows.end - rows.start) * view.width);
  const parts = view.windows.flatMap((window) => {
    const start = Math.max(rows.start, window.y);
    const end = Math.min(rows.end, window.y + window.height);
    if (start >= end) return [];
    for (let y = start; y < end; y++) {
      const first = (y - rows.start) * view.width + window.x;
      for (let i = first; i < first + window.width; i++) counts[i]!++;
    }
    const [, height] = window.logits.shape;
    const inside = { start: start - window.y, end: end - window.y };
    const needed = sourceRows(height, window.height, inside);
    const logits = tf.slice(window.logits, [0, needed.start, 0, 0], [-1, needed.end - needed.start, -1, -1]);
    const part = resizeRows(logits, needed, height, window, inside);
    const sides: [number, number] = [window.x, view.width - window.x - window.width];
    return tf.pad(part, [[0, 0], [start - rows.start, rows.end - end], sides, [0, 0]]);
  });
  if (view.windows.length === 1) return parts[0]!;
  return tf.div(tf.addN(parts), tf.tensor4d(counts, [1, rows.end - rows.start, view.width, 1]));
}
