/** Boxes `[x1, y1, x2, y2]` in rows: their geometry, their overlaps, the deltas between them, and which of them are kept. */
export { areas, clipBoxes, coordinates, iouOf, sharesWithin } from './boxes';
export { extents, toCentres, toCorners } from './box-format';
export { decodeDeltas, encodeDeltas, type DeltaOptions } from './box-deltas';
export { generalizedIou, type GiouOptions } from './generalized-iou';
export { nms } from './nms';
export { detached } from './detached';
export { oneHot } from './one-hot';
export { takeRows } from './take-rows';
