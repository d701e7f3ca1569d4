/** The kernels of @cocoeval/ts. Places are addresses in the module's memory. */
export { accumulateCategory, spreadRows, useCurves } from './accumulate';
export { compareCategory, useObjects, useParams } from './evaluate';
export { findIds, idTable, pick } from './ids';
export { meanAbove } from './means';
export { allocate, mark, release, room } from './memory';
export { arrange, invert, scatter } from './objects';
export { recordColumns, resultKind, resumeAt, scanRecords, stopReason } from './records';
