/** The optimizers by the name that a configuration gives. */
import type { Parameter } from '@pyramidal/nn';
import { adamW, type AdamWOptions } from './adamw';
import type { Optimizer } from './optimizer';
import { sgd, type SgdOptions } from './sgd';

/** An optimizer by its name, with its settings. */
export type OptimizerOptions = ({ readonly name: 'adamw' } & AdamWOptions) | ({ readonly name: 'sgd' } & SgdOptions);

/** The optimizer that a configuration names. */
export function createOptimizer(parameters: ReadonlyMap<string, Parameter>, options: OptimizerOptions): Optimizer {
  return options.name === 'adamw' ? adamW(parameters, options) : sgd(parameters, options);
}
