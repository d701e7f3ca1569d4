/** What the specs of this workspace share. */
export { expectClose, type Tolerance } from './closeness';
export { findChromium, openChromium } from './chromium';
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
export { graphModelFolder } from './graph-model-folder';
export { narrowWidths } from './narrow-widths';
export { withoutGradient } from './gradient-reach';
export { expectSameInOnnx } from './onnx-equality';
export { runOnnx, type OnnxResult } from './onnx-session';
export { hasNative, onEngines, openEngine, waves, wavesTensor } from './on-engines';
export { describeOnWebGpu, type RunOnWebGpu } from './on-webgpu';
export { ReadRecorder } from './read-recorder';
export { runSavedModel } from './saved-model';
export { expectScheduleShape, type ScheduleShape } from './schedule-shape';
export { expectNoLeaks } from './leaks';
export {
  readGoldenBackbone,
  type GoldenBackbone,
  type GoldenCase,
  type GoldenGradients,
  type GoldenMap,
} from './golden-backbone';
export {
  countDetections,
  decodeRuns,
  expectCompiledAsEager,
  expectGoldenDetections,
  expectGoldenGradients,
  givenFeatures,
  goldenBatch,
  goldenMaps,
  goldenScales,
  goldenTruth,
  takeFirst,
  type GivenFeatures,
  type GoldenDetection,
  type GoldenDetector,
  type GoldenTraining,
} from './golden-detectors';
export { inEngine, readFixture, stateShapes, torchOrder } from './golden-spec';
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
