// Products of small matrices with a bias and an activation on several threads. TensorFlow computes a product whose matrices fit in
// a core's second cache on one thread, while the others have nothing to do.
#include <algorithm>
#include <string>

#include "activation.h"
#include "kernel.h"
#include "product.h"
#include "threads.h"
#include "vectors.h"

namespace pyramidal {
namespace {

// A unit of work: rows, and columns of the weights, which are brought together before rows meet them. Where they lie, rows of
// weights take each other's places in the first cache.
constexpr int64_t kRowsOfUnit = 42 * kRows;
constexpr int64_t kColumnsOfUnit = 32;
constexpr int64_t kDepthOfPanel = 256;
// Numbers of columns are multiples of this.
constexpr int64_t kColumnsTogether = 16;

struct SmallProduct {
  int64_t rows, depth, columns;
  // [rows, depth], [depth, columns], [columns], [rows, columns].
  const float *x, *weight, *bias;
  float *y;
  Activation activation;

  int64_t panels() const { return (columns + kColumnsOfUnit - 1) / kColumnsOfUnit; }
  int64_t units() const { return (rows + kRowsOfUnit - 1) / kRowsOfUnit * panels(); }
};

// `vectors` vectors of columns from `c` on, for the rows `begin..end`.
template <typename V, int vectors>
PYRAMIDAL_INLINE void MultiplyPanel(const SmallProduct &product, int64_t c, int64_t begin, int64_t end, const Panel &panel) {
  const int64_t columns = product.columns;
  V offsets[vectors];
#pragma GCC unroll 2
  for (int j = 0; j < vectors; j++) offsets[j] = Load<V>(product.bias + c + j * kLanes<V>);
  for (int64_t from = 0; from < product.depth; from += kDepthOfPanel) {
    const int64_t depth = std::min(kDepthOfPanel, product.depth - from);
    const bool isFirst = from == 0, isLast = from + depth == product.depth;
    for (int64_t d = 0; d < depth; d++) {
#pragma GCC unroll 2
      for (int j = 0; j < vectors; j++) {
        Store(Load<V>(product.weight + (from + d) * columns + c + j * kLanes<V>), panel.data() + (d * vectors + j) * kLanes<V>);
      }
    }
    for (int64_t first = begin; first < end; first += kRows) {
      const int64_t count = std::min<int64_t>(kRows, end - first);
      // Rows beyond the last one are that row again.
      const float *rows[kRows];
      for (int64_t i = 0; i < kRows; i++) rows[i] = product.x + (first + std::min(i, count - 1)) * product.depth + from;
      V sums[kRows][vectors];
      MultiplyBlock<V, vectors>(rows, panel.data(), vectors * kLanes<V>, depth, sums);
      for (int64_t i = 0; i < count; i++) {
        float *const y = product.y + (first + i) * columns + c;
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++) {
          const V sum = sums[i][j] + (isFirst ? offsets[j] : Load<V>(y + j * kLanes<V>));
          Store(isLast ? Activate<V>(sum, product.activation) : sum, y + j * kLanes<V>);
        }
      }
    }
  }
}

struct MultiplyUnits {
  // Units `begin..end`, counted through the columns, then the rows.
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const SmallProduct *product, int64_t begin, int64_t end) {
    const Panel panel(std::min(product->depth, kDepthOfPanel) * 2 * kLanes<V>);
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t row = unit / product->panels() * kRowsOfUnit, last = std::min(row + kRowsOfUnit, product->rows);
      const int64_t column = unit % product->panels() * kColumnsOfUnit, edge = std::min(column + kColumnsOfUnit, product->columns);
      int64_t c = column;
      for (; c + 2 * kLanes<V> <= edge; c += 2 * kLanes<V>) MultiplyPanel<V, 2>(*product, c, row, last, panel);
      for (; c < edge; c += kLanes<V>) MultiplyPanel<V, 1>(*product, c, row, last, panel);
    }
  }
};

struct ProductSettings {
  Activation activation;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) { activation = ReadActivation(construction, status); }
};

void ComputeSmallProduct(void *settings, TF_OpKernelContext *context) {
  const Array x = InputOf(context, 0), weight = InputOf(context, 1), bias = InputOf(context, 2);
  if (x.rank() != 2 || weight.rank() != 2 || weight.size(1) % kColumnsTogether != 0) {
    throw std::runtime_error("expected matrices, the second with a multiple of " + std::to_string(kColumnsTogether) +
                             " columns, received " + x.shape() + " and " + weight.shape());
  }
  const int64_t rows = x.size(0), depth = x.size(1), columns = weight.size(1);
  weight.Expect("weight", {depth, columns});
  bias.Expect("bias", {columns});
  const Array y = OutputOf(context, 0, TF_FLOAT, {rows, columns});
  const Activation activation = static_cast<ProductSettings *>(settings)->activation;
  const SmallProduct product{rows, depth, columns, x.data<float>(), weight.data<float>(), bias.data<float>(), y.data<float>(), activation};
  InParts(product.units(), 1, [&](int64_t begin, int64_t end) { RunLoops<MultiplyUnits>(&product, begin, end); });
}

const bool isSmallProductRegistered = Register({"PyramidalSmallProduct",
                                                {"activation: string"},
                                                {"x: float", "weight: float", "bias: float"},
                                                {"y: float"},
                                                false,
                                                &CreateSettings<ProductSettings>,
                                                &RunKernel<ComputeSmallProduct>,
                                                &DeleteSettings<ProductSettings>});

}  // namespace
}  // namespace pyramidal
