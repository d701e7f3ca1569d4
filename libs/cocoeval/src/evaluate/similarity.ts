import { boxIou } from '../mask/boxes';
import { Float64Column, Uint32Column } from '../format/columns';
import type { Detections } from '../dataset/detections';
import type { GroundTruth } from '../dataset/ground-truth';
import { pairwiseSum } from './numpy';
import { runsArea, runsBox, runsIou } from '../mask/rle';

const { exp, max, min } = Math;

/**
 * How alike detections and objects of one image are.
 * @param dts indices of D detections. @param gts indices of G objects.
 * @param floor similarities below it may be given as 0.
 * @param out receives D x G values, a row for each detection.
 */
export type Similarity = (
  detections: Detections,
  dts: readonly number[],
  truth: GroundTruth,
  gts: readonly number[],
  floor: number,
  out: Float64Array,
) => void;

export function similarityFor(truth: GroundTruth, sigmas: readonly number[]): Similarity {
  if (truth.iouType === 'bbox') return boxSimilarity;
  return truth.iouType === 'segm' ? maskSimilarity() : keypointSimilarity(sigmas);
}

const boxSimilarity: Similarity = (detections, dts, truth, gts, _floor, out) => {
  const dtBoxes = detections.boxes.data;
  const gtBoxes = truth.boxes.data;
  let at = 0;
  for (const d of dts) {
    for (const g of gts) out[at++] = boxIou(dtBoxes, 4 * d, gtBoxes, 4 * g, truth.crowd.get(g) === 1);
  }
};

/** Masks of one image: their runs one after the other, with the box and area of each. */
class MaskSet {
  readonly runs = new Uint32Column();
  readonly ends = new Uint32Column();
  readonly areas = new Float64Column();
  readonly boxes = new Float64Column();

  fill(objects: Detections | GroundTruth, indices: readonly number[], height: number, width: number): void {
    for (const column of [this.runs, this.ends, this.areas, this.boxes]) column.length = 0;
    this.boxes.reserve(4 * indices.length);
    for (const index of indices) {
      const start = this.runs.length;
      objects.segmentations.rasterise(index, height, width, this.runs);
      this.ends.push(this.runs.length);
      this.areas.push(runsArea(this.runs.data, start, this.runs.length));
      runsBox(this.runs.data, start, this.runs.length, height, this.boxes.data, this.boxes.length);
      this.boxes.length += 4;
    }
  }

  start(i: number): number {
    return i === 0 ? 0 : this.ends.get(i - 1);
  }
}

function maskSimilarity(): Similarity {
  const left = new MaskSet();
  const right = new MaskSet();
  return (detections, dts, truth, gts, floor, out) => {
    if (dts.length === 0 || gts.length === 0) return;
    const [height, width] = detections.images.requireSize(detections.imageIndices.get(dts[0] as number));
    left.fill(detections, dts, height, width);
    right.fill(truth, gts, height, width);
    for (let i = 0; i < dts.length; i++) {
      for (let j = 0; j < gts.length; j++) {
        const crowd = truth.crowd.get(gts[j] as number) === 1;
        const possible = bestPossible(left, i, right, j, crowd);
        out[i * gts.length + j] =
          possible > 0 && possible >= floor
            ? runsIou(
                left.runs.data,
                left.start(i),
                left.ends.get(i),
                right.runs.data,
                right.start(j),
                right.ends.get(j),
                crowd,
              )
            : 0;
      }
    }
  };
}

/** An upper bound of the IoU: the smaller mask lies within the other as far as their boxes overlap. */
function bestPossible(a: MaskSet, i: number, b: MaskSet, j: number, crowd: boolean): number {
  const ab = a.boxes.data;
  const bb = b.boxes.data;
  const [ax, ay, aw, ah] = [ab[4 * i], ab[4 * i + 1], ab[4 * i + 2], ab[4 * i + 3]] as [number, number, number, number];
  const [bx, by, bw, bh] = [bb[4 * j], bb[4 * j + 1], bb[4 * j + 2], bb[4 * j + 3]] as [number, number, number, number];
  const width = min(ax + aw, bx + bw) - max(ax, bx);
  const height = min(ay + ah, by + bh) - max(ay, by);
  if (width <= 0 || height <= 0) return 0;
  const areaA = a.areas.get(i);
  const areaB = b.areas.get(j);
  const overlap = min(areaA, areaB, width * height);
  return overlap / (crowd ? areaA : areaA + areaB - overlap);
}

const EPSILON = 2 ** -52;

/** Object keypoint similarity (https://cocodataset.org/#keypoints-eval). */
function keypointSimilarity(sigmas: readonly number[]): Similarity {
  const points = sigmas.length;
  const variances = sigmas.map((sigma) => 2 * sigma * (2 * sigma));
  const closeness = new Float64Array(points);
  return (detections, dts, truth, gts, _floor, out) => {
    let at = 0;
    for (const d of dts) {
      for (const g of gts) {
        const visible = countVisible(truth.keypoints.data, 3 * points * g, points);
        const x0 = truth.boxes.get(4 * g);
        const y0 = truth.boxes.get(4 * g + 1);
        const width = truth.boxes.get(4 * g + 2);
        const height = truth.boxes.get(4 * g + 3);
        const area = truth.areas.get(g) + EPSILON;
        let count = 0;
        for (let p = 0; p < points; p++) {
          const x = detections.keypoints.get(3 * (points * d + p));
          const y = detections.keypoints.get(3 * (points * d + p) + 1);
          const k = 3 * (points * g + p);
          if (visible > 0 && truth.keypoints.get(k + 2) <= 0) continue;
          const dx = visible > 0 ? x - truth.keypoints.get(k) : outside(x, x0 - width, x0 + width * 2);
          const dy = visible > 0 ? y - truth.keypoints.get(k + 1) : outside(y, y0 - height, y0 + height * 2);
          closeness[count++] = exp(-((dx * dx + dy * dy) / (variances[p] as number) / area / 2));
        }
        out[at++] = pairwiseSum(closeness, 0, count) / count;
      }
    }
  };
}

function countVisible(keypoints: Float64Array, start: number, points: number): number {
  let visible = 0;
  for (let p = 0; p < points; p++) if ((keypoints[start + 3 * p + 2] as number) > 0) visible++;
  return visible;
}

/** How far a coordinate lies outside an interval. */
function outside(value: number, low: number, high: number): number {
  return max(0, low - value) + max(0, value - high);
}
