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

  int64_t units() const { return PartsOf(rows, kRowsOfUnit) * PartsOf(columns, kColumnsOfUnit); }
};

// A part of a unit: some of its columns, and as much of the depth as a panel has.
struct Part {
  int64_t row, rows, column, columns, from, depth;
};

// The parts of units one after the other: units go through the columns, then the rows, and their parts through the depth, then the columns.
template <typename V>
PYRAMIDAL_INLINE Part PartAt(const SmallProduct &product, int64_t place) {
  constexpr int64_t width = 2 * kLanes<V>;
  const int64_t deep = PartsOf(product.depth, kDepthOfPanel), wide = kColumnsOfUnit / width, panels = PartsOf(product.columns, kColumnsOfUnit);
  const int64_t unit = place / (deep * wide), from = place % deep * kDepthOfPanel;
  const int64_t row = unit / panels * kRowsOfUnit, column = unit % panels * kColumnsOfUnit + place / deep % wide * width;
  return {row,  std::min(kRowsOfUnit, product.rows - row),  column, std::max<int64_t>(0, std::min(width, product.columns - column)),
          from, std::min(kDepthOfPanel, product.depth - from)};
}

// Multiplies the rows of a part with its `vectors` vectors of columns, while the weights of the next part come into the caches: their rows
// lie too far apart for a processor to foresee them.
template <typename V, int vectors>
PYRAMIDAL_INLINE void MultiplyPart(const SmallProduct &product, const Part &part, const Part &next, const Panel &panel) {
  const int64_t columns = product.columns;
  const bool isFirst = part.from == 0, isLast = part.from + part.depth == product.depth;
  V offsets[vectors];
#pragma GCC unroll 2
  for (int j = 0; j < vectors; j++) offsets[j] = Load<V>(product.bias + part.column + j * kLanes<V>);
  for (int64_t d = 0; d < part.depth; d++) {
    const float *const row = product.weight + (part.from + d) * columns + part.column;
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++) Store(Load<V>(row + j * kLanes<V>), panel.data() + (d * vectors + j) * kLanes<V>);
  }
  for (int64_t first = 0; first < part.rows; first += kRows) {
    const int64_t count = std::min<int64_t>(kRows, part.rows - first);
    for (int64_t d = first * next.depth / part.rows; d < (first + count) * next.depth / part.rows; d++) {
      const float *const row = product.weight + (next.from + d) * columns + next.column;
      for (int64_t c = 0; c < next.columns; c += kColumnsTogether) __builtin_prefetch(row + c);
    }
    // Rows beyond the last one are that row again.
    const float *rows[kRows];
    for (int64_t i = 0; i < kRows; i++) rows[i] = product.x + (part.row + first + std::min(i, count - 1)) * product.depth + part.from;
    V sums[kRows][vectors];
    MultiplyBlock<V, vectors>(rows, panel.data(), vectors * kLanes<V>, part.depth, sums);
    for (int64_t i = 0; i < count; i++) {
      float *const y = product.y + (part.row + first + i) * columns + part.column;
#pragma GCC unroll 2
      for (int j = 0; j < vectors; j++) {
        const V sum = sums[i][j] + (isFirst ? offsets[j] : Load<V>(y + j * kLanes<V>));
        Store(isLast ? Activate<V>(sum, product.activation) : sum, y + j * kLanes<V>);
      }
    }
  }
}

struct MultiplyUnits {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const SmallProduct *product, int64_t begin, int64_t end) {
    const int64_t parts = PartsOf(product->depth, kDepthOfPanel) * (kColumnsOfUnit / (2 * kLanes<V>));
    const Panel panel(kDepthOfPanel * 2 * kLanes<V>);
    Part part = PartAt<V>(*product, begin * parts);
    for (int64_t place = begin * parts; place < end * parts; place++) {
      const Part next = PartAt<V>(*product, std::min(place + 1, end * parts - 1));
      if (part.columns == 2 * kLanes<V>) MultiplyPart<V, 2>(*product, part, next, panel);
      if (part.columns == kLanes<V>) MultiplyPart<V, 1>(*product, part, next, panel);
      part = next;
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
