/** Which detection finds which object (the inner loops of pycocotools' evaluateImg). */
import { Uint32Column } from '../format/columns';

const NEARLY_ONE = 1 - 1e-10;

/** Lowest similarity that can lead to a match at any of the thresholds. */
export function matchFloor(thresholds: readonly number[]): number {
  return Math.min(...thresholds, NEARLY_ONE);
}

/** Thresholds as they are compared with: a similarity of 1 is never required. */
export function matchThresholds(thresholds: readonly number[]): number[] {
  return thresholds.map((threshold) => Math.min(threshold, NEARLY_ONE));
}

/**
 * COCO's greedy matching within one image and category: detections, best first, take the most similar free object; of
 * equal ones the last. Ignored objects are taken only where no other one is, crowds any number of times.
 */
export class Matcher {
  private readonly thresholds: readonly number[];
  private readonly floor: number;
  private readonly candidates = new Uint32Column();
  /** Detection d may match `candidates[starts[d]]` to `candidates[starts[d + 1] - 1]`. */
  private readonly starts = new Uint32Column();
  private similarity: Float64Array = new Float64Array(0);
  private objects = 0;
  private taken = new Uint8Array(0);

  constructor(thresholds: readonly number[]) {
    this.thresholds = matchThresholds(thresholds);
    this.floor = matchFloor(thresholds);
  }

  /** Takes the similarities of D detections, best first, with G objects, a row for each detection. */
  prepare(similarity: Float64Array, detections: number, objects: number): void {
    this.similarity = similarity;
    this.objects = objects;
    this.candidates.length = 0;
    this.starts.length = 0;
    this.starts.push(0);
    for (let d = 0; d < detections; d++) {
      for (let g = 0; g < objects; g++) {
        if (!((similarity[d * objects + g] as number) < this.floor)) this.candidates.push(g);
      }
      this.starts.push(this.candidates.length);
    }
  }

  /** Whether any detection can. */
  get hopeful(): boolean {
    return this.candidates.length > 0;
  }

  /** Whether a detection can match at all. */
  canMatch(d: number): boolean {
    return this.starts.get(d) !== this.starts.get(d + 1);
  }

  /**
   * Matches at one threshold after the other.
   * @param ignored flags of the G objects.
   * @param crowd flags of the G objects.
   * @param matches receives T x D indices of objects, -1 for none.
   */
  match(ignored: Uint8Array, crowd: Uint8Array, matches: Int32Array): void {
    const detections = this.starts.length - 1;
    if (this.taken.length < this.objects) this.taken = new Uint8Array(2 * this.objects);
    for (let t = 0; t < this.thresholds.length; t++) {
      this.taken.fill(0, 0, this.objects);
      for (let d = 0; d < detections; d++) {
        let match = -1;
        if (this.canMatch(d)) {
          match = this.best(d, this.thresholds[t] as number, ignored, crowd, 0);
          if (match < 0) match = this.best(d, this.thresholds[t] as number, ignored, crowd, 1);
          if (match >= 0) this.taken[match] = 1;
        }
        matches[t * detections + d] = match;
      }
    }
  }

  /** The best free object among those that are ignored (1) or not (0). */
  private best(d: number, threshold: number, ignored: Uint8Array, crowd: Uint8Array, kind: 0 | 1): number {
    let match = -1;
    let bar = threshold;
    const end = this.starts.get(d + 1);
    for (let c = this.starts.get(d); c < end; c++) {
      const g = this.candidates.get(c);
      if (ignored[g] !== kind || (this.taken[g] === 1 && crowd[g] === 0)) continue;
      const similarity = this.similarity[d * this.objects + g] as number;
      if (similarity < bar) continue;
      bar = similarity;
      match = g;
    }
    return match;
  }
}
