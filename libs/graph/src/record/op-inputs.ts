/**
 * Which type and count attributes of an operation follow from its inputs. Eager execution infers them, a graph must state
 * them. Taken from the operation registry of TensorFlow 2.21. One word per input: an attribute that is the input's type,
 * `N*T` for a list of N inputs of type T, `-` for a fixed type.
 */
const INPUT_TYPES: Readonly<Record<string, string>> = {
  T:
    'Abs Acos Acosh Asin Asinh Atan Atanh AvgPool AvgPool3D BiasAddGrad Ceil ComplexAbs Cos Cosh DeepCopy ' +
    'DepthToSpace Diag Elu EncodePng Erf Erfc Exp Expm1 Floor Identity Imag IsFinite IsInf IsNan L2Loss LRN ' +
    'LeakyRelu Log Log1p LogSoftmax MaxPool MaxPool3D Ndtri Neg OnesLike Real Reciprocal Relu Relu6 Round ' +
    'Rsqrt Selu Sigmoid Sign Sin Sinh Softmax Softplus SpaceToDepth Sqrt Square Squeeze Tan Tanh TopK Unique ' +
    'Unpack Where ZerosLike',
  'T T':
    'Add AddV2 Atan2 BatchMatMul BatchMatMulV2 BiasAdd BitwiseAnd BroadcastArgs Complex Conv2D Conv3D ' +
    'DepthwiseConv2dNative Dilation2D Div DivNoNan EluGrad Equal FloorDiv FloorMod Greater GreaterEqual Less ' +
    'LessEqual Maximum Minimum Mod Mul NotEqual Pow RealDiv Relu6Grad ReluGrad RsqrtGrad SigmoidGrad ' +
    'SoftmaxCrossEntropyWithLogits SoftplusGrad SqrtGrad SquaredDifference Sub TanhGrad Xdivy',
  'T Tidx': 'ArgMax ArgMin BroadcastTo Cumprod Cumsum Max Mean Min Prod ReverseV2 Sum',
  'T T T':
    'ClipByValue Conv2DBackpropFilterV2 Conv2DBackpropInputV2 Dilation2DBackpropFilter ' +
    'Dilation2DBackpropInput LRNGrad MaxPoolGrad _MklLayerNorm',
  '- T T': 'Conv2DBackpropInput DepthwiseConv2dNativeBackpropInput ResourceApplyGradientDescent Select SelectV2',
  'T -': 'Multinomial ResizeBilinear ResizeNearestNeighbor ResizeNearestNeighborGrad Reverse',
  '- T': 'AvgPool3DGrad AvgPoolGrad ResizeBilinearGrad Split',
  '- dtype': 'AssignAddVariableOp AssignSubVariableOp AssignVariableOp',
  'N*T': 'AddN Einsum Pack',
  'T - T': 'Conv2DBackpropFilter Conv3DBackpropFilterV2 DepthwiseConv2dNativeBackpropFilter',
  'T Tseed': 'StatelessRandomNormal StatelessRandomUniform StatelessRandomUniformFullInt',
  '- Tidx': 'All Any',
  'T T - T_threshold T_threshold': 'NonMaxSuppressionV3 NonMaxSuppressionV4',
  'T T num_args*T': '_FusedDepthwiseConv2dNative _FusedMatMul',
  'T U U U U': 'FusedBatchNormV2 FusedBatchNormV3',
  Tcomplex: 'FFT IFFT',
  'Tparams Tindices': 'Gather GatherNd',
  '- - - T': 'WriteScalarSummary',
  '- - - T T T T T T T': 'ResourceApplyAdam',
  '- - T': 'Bincount',
  '- - T - -': 'WriteSummary',
  '- - T T T': 'ResourceApplyMomentum',
  '- N*T': 'Concat',
  'N*T Tidx': 'ConcatV2',
  SrcT: 'Cast',
  'T - - -': 'CropAndResize',
  'T Index Index': 'Slice',
  'T Index Index Index': 'StridedSlice',
  'T T - T T T': 'NonMaxSuppressionV5',
  'T T - U U U': 'FusedBatchNormGradV3',
  'T T T T T': 'FusedBatchNorm',
  'T T Tidx': 'LinSpace',
  'T Taxis': 'UniqueV2',
  'T Tblock_shape Tcrops': 'BatchToSpaceND',
  'T Tblock_shape Tpaddings': 'SpaceToBatchND',
  'T Tdim': 'ExpandDims',
  'T Tindices': 'SegmentSum',
  'T Tindices T': 'TensorScatterUpdate',
  'T Tindices Tnumsegments': 'UnsortedSegmentSum',
  'T Tk': 'TopKV2',
  'T Tlabels': 'SparseSoftmaxCrossEntropyWithLogits',
  'T Tlen -': 'SplitV',
  'T Tmultiples': 'Tile',
  'T Tpaddings': 'MirrorPad',
  'T Tpaddings T': 'PadV2',
  'T Tperm': 'Transpose',
  'T Tshape': 'Reshape',
  'TI - T T': 'OneHot',
  'TInput TInput T': 'MaxPool3DGrad',
  'Tidx Tidx Tidx': 'Range',
  'Tindices T Tindices': 'ScatterNd',
  'Tindices Tindices T T': 'SparseToDense',
  'Tparams Tindices Taxis': 'GatherV2',
  'Tshape - - -': 'StatelessRandomUniformV2',
  'Tshape T T': 'Conv3DBackpropInputV2',
  'index_type T': 'Fill',
};

const inputTypesOf = new Map<string, readonly string[]>();

/** The words for each input of an operation; undefined for one that is not in the table. */
export function inputTypes(op: string): readonly string[] | undefined {
  if (inputTypesOf.size === 0) {
    for (const [words, ops] of Object.entries(INPUT_TYPES)) {
      for (const name of ops.split(' ')) inputTypesOf.set(name, words.split(' '));
    }
  }
  return inputTypesOf.get(op);
}
