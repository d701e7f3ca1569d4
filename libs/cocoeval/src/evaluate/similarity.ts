/** How alike a detection and an object are: overlap of boxes or masks, distance of keypoints. */
import { boxIntersection, boxIou } from '../mask/boxes';
import { Float64Column, Uint32Column } from '../format/columns';
import type { Detections } from '../dataset/detections';
import type { GroundTruth } from '../dataset/ground-truth';
import type { Indices } from './groups';
import { pairwiseSum } from './numpy';
import type { Size } from '../format/types';
import { runsArea, runsBox, runsIou, type RunSpan } from '../mask/rle';

const { exp, max, min } = Math;

/** Detections and objects of one image that are compared: D and G indices. */
interface Comparison {
  readonly detections: Detections;
  readonly dts: Indices;
  readonly truth: GroundTruth;
  readonly gts: Indices;
  /** Similarities below it may be given as 0. */
  readonly floor: number;
}

/** Writes how alike detections and objects are to `out`: D x G values from 0 to 1, a row for each detection. */
export type Similarity = (comparison: Comparison, out: Float64Array) => void;

/** The similarity by which a kind of evaluation compares. @param sigmas of keypoints. */
export function similarityFor(truth: GroundTruth, sigmas: readonly number[]): Similarity {
  if (truth.iouType === 'bbox') return boxSimilarity;
  return truth.iouType === 'segm' ? maskSimilarity() : keypointSimilarity(sigmas);
}

const boxSimilarity: Similarity = ({ detections, dts, truth, gts }, out) => {
  const dtBoxes = detections.boxes.data;
  const gtBoxes = truth.boxes.data;
  let at = 0;
  for (let i = 0; i < dts.length; i++) {
    const d = dts[i] as number;
    for (let j = 0; j < gts.length; j++) {
      const g = gts[j] as number;
      out[at++] = boxIou(dtBoxes, 4 * d, gtBoxes, 4 * g, truth.crowd.get(g) === 1);
    }
  }
};

/** Masks of one image: the runs, the area and the box of each. */
class MaskSet {
  readonly masks: RunSpan[] = [];
  readonly areas = new Float64Column();
  readonly boxes = new Float64Column();
  private readonly runs = new Uint32Column();
  private readonly ends = new Uint32Column();

  fill(objects: Detections | GroundTruth, indices: Indices, size: Size): void {
    for (const column of [this.runs, this.ends, this.areas, this.boxes]) column.length = 0;
    for (const index of indices) {
      objects.segmentations.rasterise(index, size, this.runs);
      this.ends.push(this.runs.length);
    }
    this.boxes.reserve(4 * indices.length);
    this.masks.length = 0;
    for (let i = 0; i < indices.length; i++) this.add(i === 0 ? 0 : this.ends.get(i - 1), this.ends.get(i), size[0]);
  }

  private add(start: number, end: number, height: number): void {
    const mask = { data: this.runs.data, start, end };
    this.masks.push(mask);
    this.areas.push(runsArea(mask));
    runsBox(mask, height, this.boxes.data, this.boxes.length);
    this.boxes.length += 4;
  }
}

function maskSimilarity(): Similarity {
  const left = new MaskSet();
  const right = new MaskSet();
  return ({ detections, dts, truth, gts, floor }, out) => {
    if (dts.length === 0 || gts.length === 0) return;
    const size = detections.images.requireSize(detections.imageIndices.get(dts[0] as number));
    left.fill(detections, dts, size);
    right.fill(truth, gts, size);
    let at = 0;
    for (let i = 0; i < dts.length; i++) {
      for (let j = 0; j < gts.length; j++) {
        const crowd = truth.crowd.get(gts[j] as number) === 1;
        const possible = bestPossible(left, i, right, j, crowd);
        const isWorthwhile = possible > 0 && possible >= floor;
        out[at++] = isWorthwhile ? runsIou(left.masks[i] as RunSpan, right.masks[j] as RunSpan, crowd) : 0;
      }
    }
  };
}

/** An upper bound of the IoU: the smaller mask lies within the other as far as their boxes overlap. */
function bestPossible(a: MaskSet, i: number, b: MaskSet, j: number, crowd: boolean): number {
  const overlapOfBoxes = boxIntersection(a.boxes.data, 4 * i, b.boxes.data, 4 * j);
  if (overlapOfBoxes < 0) return 0;
  const areaA = a.areas.get(i);
  const areaB = b.areas.get(j);
  const overlap = min(areaA, areaB, overlapOfBoxes);
  return overlap / (crowd ? areaA : areaA + areaB - overlap);
}

const EPSILON = 2 ** -52;

/** Object keypoint similarity (https://cocodataset.org/#keypoints-eval). */
function keypointSimilarity(sigmas: readonly number[]): Similarity {
  const points = sigmas.length;
  const variances = sigmas.map((sigma) => 2 * sigma * (2 * sigma));
  const closeness = new Float64Array(points);
  return ({ detections, dts, truth, gts }, out) => {
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
