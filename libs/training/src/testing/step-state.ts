/** What specs of training steps look at and let go. */
import type { TrainStep } from '../train-step';

/** Weights, running statistics, and what the optimizer, averages and scaling keep, as one list. */
export function stateOf({ module, state }: TrainStep): number[] {
  const weights = [...module.state().values()].flatMap(({ variable }) => Array.from(variable.dataSync()));
  const others = [...state.values()].flatMap((values) =>
    [...values.readers().values()].flatMap((read) => Array.from(read())),
  );
  return [...weights, ...others];
}

/** Disposes steps together with their networks. */
export const release = (...steps: TrainStep[]): void =>
  steps.forEach((step) => {
    step.dispose();
    step.module.dispose();
  });
