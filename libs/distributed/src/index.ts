/** Training on many processes: a worker's place, what workers tell each other, and how they are started on one machine. */
export { gathered, type Numbered } from './gathered';
export { launch, RESTARTS, type LaunchOptions } from './launch';
export { findPlace, type Environment, type Place } from './place';
export { seedsOf, shareOf, turnOf, type Share, type UpdateSize } from './shares';
export { WorkerError } from './worker-error';
export { joinWorkers, type JoinOptions, type Workers } from './workers';
