/** Masks of single objects, drawn over their own boxes alone, so that all have the same number of cells. */
import { mask, type Polygons, type Rle, type Segmentation, type UncompressedRle } from '@cocoeval/ts';
import { at, type RegionMask, regionOfRuns } from './augment/region-mask';
import { isRegion } from './augment/scene';
import type { Corners } from './dataset';
import { type Geometry, mapPoint, unmapPoint } from './geometry';

/** A mask over a region of the prepared image. */
export interface MaskCrop {
  /** side * side values, row by row, 0 or 1. */
  readonly data: Uint8Array;
  readonly region: Corners;
}

/**
 * Draws an object's mask over its box and one cell around it, which stays empty where the object ends with its box.
 * @param box where the object lies in the prepared image.
 * @param side cells along each axis.
 */
export function cropMask(
  segmentation: Segmentation | RegionMask,
  geometry: Geometry,
  box: Corners,
  side: number,
): MaskCrop {
  const [x1, y1, x2, y2] = box;
  const [cellWidth, cellHeight] = [(x2 - x1) / (side - 2), (y2 - y1) / (side - 2)];
  const region: Corners = [x1 - cellWidth, y1 - cellHeight, x2 + cellWidth, y2 + cellHeight];
  if (Array.isArray(segmentation)) {
    const polygons = (segmentation as Polygons).map((polygon) => mapPolygon(geometry, polygon));
    return { data: drawPolygons(polygons, region, side), region };
  }
  const mask = isRegion(segmentation) ? segmentation : regionOfRuns(segmentation as Rle | UncompressedRle);
  return { data: sampleRegion(mask, geometry, region, side), region };
}

/** Polygons within a region, drawn by COCO's rules on a grid of `side` by `side` cells; its scale is a float32, as in MMDetection. */
export function drawPolygons(polygons: Polygons, [x1, y1, x2, y2]: Corners, side: number): Uint8Array {
  const { fround } = Math;
  const [across, down] = [fround(side / fround(x2 - x1)), fround(side / fround(y2 - y1))];
  const onGrid = polygons.map((polygon) =>
    polygon.map((value, i) => (i % 2 === 0 ? (value - x1) * across : (value - y1) * down)),
  );
  return mask.decode(mask.merge(mask.fromPolygons(onGrid, side, side))).data;
}

function mapPolygon(geometry: Geometry, polygon: readonly number[]): number[] {
  const mapped: number[] = [];
  for (let i = 0; i < polygon.length; i += 2) mapped.push(...mapPoint(geometry, polygon[i]!, polygon[i + 1]!));
  return mapped;
}

/** The pixel under the centre of each cell. */
function sampleRegion(mask: RegionMask, geometry: Geometry, [x1, y1, x2, y2]: Corners, side: number): Uint8Array {
  const cells = new Uint8Array(side * side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const centre = [x1 + ((column + 0.5) * (x2 - x1)) / side, y1 + ((row + 0.5) * (y2 - y1)) / side] as const;
      const [x, y] = unmapPoint(geometry, ...centre).map(Math.floor) as [number, number];
      cells[row * side + column] = at(mask, x, y);
    }
  }
  return cells;
}
