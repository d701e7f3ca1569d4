/**
 * Operations with fixed shapes that graph models of TensorFlow.js 4.22 have, of those that TensorFlow.js records. Its own
 * list is not exported.
 */
export const GRAPH_MODEL_OPS: ReadonlySet<string> = new Set(
  (
    'Abs Acos Acosh Add AddN AddV2 All Any ArgMax ArgMin Asin Asinh Atan Atan2 Atanh AvgPool AvgPool3D ' +
    'BatchMatMul BatchMatMulV2 BatchToSpaceND BiasAdd Bincount BitwiseAnd BroadcastArgs BroadcastTo Cast ' +
    'Ceil ClipByValue ConcatV2 Const Conv2D Conv2DBackpropInput Conv3D Cos Cosh CropAndResize Cumprod Cumsum ' +
    'DepthToSpace DepthwiseConv2dNative Dilation2D Div DivNoNan Einsum Elu Equal Erf Exp ExpandDims Expm1 ' +
    'Fill Floor FloorDiv FloorMod FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 Gather GatherNd GatherV2 ' +
    'Greater GreaterEqual Identity IsFinite IsInf IsNan LRN LeakyRelu Less LessEqual LinSpace Log Log1p ' +
    'LogSoftmax LogicalAnd LogicalNot LogicalOr Max MaxPool MaxPool3D Maximum Mean Min Minimum MirrorPad Mod ' +
    'Mul Neg NonMaxSuppressionV4 NotEqual OneHot OnesLike Pack Pad PadV2 Placeholder Pow Prod Range RealDiv Reciprocal Relu ' +
    'Relu6 Reshape ResizeBilinear ResizeNearestNeighbor Reverse ReverseV2 Round Rsqrt ScatterNd Select ' +
    'SelectV2 Selu Sigmoid Sign Sin Sinh Slice Softmax Softplus SpaceToBatchND SparseToDense Split SplitV ' +
    'Sqrt Square SquaredDifference Squeeze StridedSlice Sub Sum Tan Tanh TensorScatterUpdate Tile TopKV2 ' +
    'Transpose Unpack ZerosLike'
  ).split(' '),
);
