/** What the specs of every task's program share. */
export { describeOwnBackbones } from './own-backbones';
export { describeRecipes } from './recipes';
