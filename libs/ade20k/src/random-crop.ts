/** MMSegmentation's `RandomCrop`. */
import type { Draws, Rect, Size } from '@pyramidal/images';
import { cropLabels, IGNORE, type LabelMap } from './label-map';

const ATTEMPTS = 10;

export interface RandomCropOptions extends Size {
  /** A window is drawn anew while one class has this share of its labelled pixels, or more. */
  readonly catMaxRatio: number;
}

/** MMSegmentation's `RandomCrop`: a window inside the map, up to ten times drawn anew; smaller maps are taken whole. */
export function drawCrop(labels: LabelMap, { width, height, catMaxRatio }: RandomCropOptions, draws: Draws): Rect {
  const size = { width: Math.min(width, labels.width), height: Math.min(height, labels.height) };
  const draw = (): Rect => {
    const y = draws.integer(labels.height - size.height + 1);
    const x = draws.integer(labels.width - size.width + 1);
    return { x, y, ...size };
  };
  let window = draw();
  if (catMaxRatio >= 1) return window;
  for (let attempt = 0; attempt < ATTEMPTS && !isVaried(cropLabels(labels, window), catMaxRatio); attempt++) {
    window = draw();
  }
  return window;
}

function isVaried({ data }: LabelMap, catMaxRatio: number): boolean {
  const counts = new Uint32Array(256);
  for (const label of data) counts[label]!++;
  counts[IGNORE] = 0;
  const present = counts.filter((count) => count > 0);
  const total = present.reduce((sum, count) => sum + count, 0);
  return present.length > 1 && Math.max(...present) / total < catMaxRatio;
}
