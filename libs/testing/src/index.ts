export { expectClose, type Tolerance } from './closeness';
export { completeConfigs } from './config-folder';
export { checkGradients, type GradientCheckOptions } from './finite-differences';
export { dataFolder, describeWith, goldenFolder } from './folders';
export {
  fillWithGolden,
  goldenNoise,
  goldenTensor,
  nchwToNhwc,
  nhwcIndex,
  samplePositions,
  type GoldenFormula,
  type GoldenTarget,
} from './golden-formula';
export { withoutGradient } from './gradient-reach';
export { expectNoLeaks } from './leaks';
export {
  readGoldenBackbone,
  type GoldenBackbone,
  type GoldenCase,
  type GoldenGradients,
  type GoldenMap,
} from './golden-backbone';
export {
  expectGoldenStats,
  fillGoldenPart,
  goldenMap,
  goldenValues,
  nhwcToNchw,
  type GoldenFull,
  type GoldenOverrides,
  type GoldenStats,
} from './golden-heads';
