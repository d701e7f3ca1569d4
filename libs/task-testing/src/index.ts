/** What the specs of every task's program share. */
export { describeOwnBackbones } from './own-backbones';
export { describeReaders, type ReadersOptions } from './readers';
export { describeRecipes } from './recipes';
export { runnerOf, type Runner, type Toy, writeToy } from './program';
export { describeWorkers, type WorkersOptions } from './workers';
