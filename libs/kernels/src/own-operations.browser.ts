/** Forms of kernels in browsers, which have no addon: a page is spared their code. */
export type { DifferentiableRows } from './own-layer-norm';

const none = (): null => null;

export {
  none as ownActivation,
  none as ownConv3x3,
  none as ownDepthwise,
  none as ownDifferentiableLayerNorm,
  none as ownLayerNorm,
  none as ownSoftmaxAttention,
  none as ownValueAndSlope,
};
