/** Which predictions learn which objects: by overlap, in samples, or as sets of least cost. */
export {
  BACKGROUND,
  matchBoxes,
  outsideCrowds,
  truthRowsOf,
  UNMATCHED,
  type Matches,
  type MatchOptions,
} from './matcher';
export { sampleBoxes, type SampleOptions } from './sampler';
export { matchSets, pairCosts, type PairCosts, type SetBoxes, type SetWeights } from './set-matching';
