/** Random numbers that a seed alone decides. */
export { Random, type Seed } from './random';
export { sfc32 } from './sfc32';
