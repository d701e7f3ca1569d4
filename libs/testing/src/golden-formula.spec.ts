/** The formula against numbers that its definition prints. */
import { goldenTensor } from './golden-formula';

/** The values that the formula's definition prints for checking an implementation. */
it.each([
  ['input', [1, 3, 224, 224], [0.5980663, -0.7767594, -0.87496376, -0.23235704]],
  ['conv_stem.proj1.weight', [20, 3, 3, 3], [0.015267073, 0.29975948, -0.24344113, 0.1570589]],
  ['conv_stem.norm1.weight', [20], [0.97417134, 1.0073004, 0.9171607, 0.96129936]],
  ['conv_stem.norm1.running_mean', [20], [-0.059713874, 0.089968584, -0.03380393, -0.015512041]],
  ['cls_token1', [1, 1, 64], [0.054882854, 0.09152439, 0.09560658, 0.08092644]],
  ['cotangent.0', [2, 40, 16, 24], [0.79025304, -0.6835107, -0.8229352, 0.12351331]],
])('%s', (name, shape, expected) => {
  expect([...goldenTensor(name, shape).slice(0, 4)]).toEqual(expected.map(Math.fround));
});
