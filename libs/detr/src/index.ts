// The detectors that a configuration can name, and their published settings.
export { deformableDetr, dino } from './settings';
export { DEFORMABLE_DETR, DeformableDetr, INPUT_PROJ, type DeformableDetrOptions } from './deformable-detr';
export { DINO, Dino, type DinoOptions } from './dino';
export { DINO_LAYOUTS, type DinoLayout } from './dino-layouts';
export { LevelProjection, type ProjectionNames } from './level-projection';
