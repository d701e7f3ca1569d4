/** The optimizers by the name that a configuration gives. */
import type { Parameter } from '@pyramidal/nn';
import { adamW, type AdamWOptions } from './adamw';
import { matches, type Optimizer, type ParameterGroup } from './optimizer';
import { sgd, type SgdOptions } from './sgd';

/** An optimizer by its name, with its settings. */
export type OptimizerOptions = ({ readonly name: 'adamw' } & AdamWOptions) | ({ readonly name: 'sgd' } & SgdOptions);

/**
 * The optimizer that a configuration names.
 * @param frozen names of parameters that stay as they are: a group of such alone has nothing to do.
 */
export function createOptimizer(
  parameters: ReadonlyMap<string, Parameter>,
  { groups = [], ...others }: OptimizerOptions,
  frozen: readonly string[] = [],
): Optimizer {
  const options = { ...others, groups: groups.filter((group) => !isFrozen(group, [...parameters.keys()], frozen)) };
  return options.name === 'adamw' ? adamW(parameters, options) : sgd(parameters, options);
}

const isFrozen = (group: ParameterGroup, learning: readonly string[], frozen: readonly string[]): boolean =>
  frozen.some((name) => matches(group, name)) && !learning.some((name) => matches(group, name));
