// A small product of its own for each group of channels: the n-th channels of all heads give the n-th group of outputs (the
// ensemble of heads of SMT, Lin et al., ICCV 2023, section 3.1).
#include <algorithm>
#include <vector>

#include "kernel.h"
#include "threads.h"
#include "vectors.h"

namespace pyramidal {
namespace {

struct GroupedProduct {
  int64_t rows, heads, groups, outputs;
  // [rows, heads, groups], [groups, heads, outputs], [rows, groups, outputs].
  const float *x, *weights;
  float *y;
};

template <typename V>
PYRAMIDAL_INLINE void MultiplyGroups(const GroupedProduct &product, int64_t begin, int64_t end) {
  const auto &[rows, heads, groups, outputs, x, weights, y] = product;
  if constexpr (kLanes<V> > 1) {
    if (outputs < kLanes<V>) return MultiplyGroups<Narrower<V>>(product, begin, end);
  }
  for (int64_t row = begin; row < end; row++) {
    for (int64_t group = 0; group < groups; group++) {
      for (int64_t c = 0; c < outputs; c += kLanes<V>) {
        const int64_t at = std::min(c, outputs - kLanes<V>);
        V sum = {};
        for (int64_t head = 0; head < heads; head++) {
          sum += x[(row * heads + head) * groups + group] * Load<V>(weights + (group * heads + head) * outputs + at);
        }
        Store(sum, y + (row * groups + group) * outputs + at);
      }
    }
  }
}

struct MultiplyRows {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const GroupedProduct *product, int64_t begin, int64_t end) {
    MultiplyGroups<V>(*product, begin, end);
  }
};

void ComputeGroupedProduct(void *, TF_OpKernelContext *context) {
  const Array x = InputOf(context, 0), weight = InputOf(context, 1);
  if (x.rank() != 3) throw std::runtime_error("x: expected [rows, heads, groups], received " + x.shape());
  const int64_t rows = x.size(0), heads = x.size(1), groups = x.size(2), outputs = weight.rank() == 3 ? weight.size(1) : 0;
  weight.Expect("weight", {groups, outputs, heads});
  const Array y = OutputOf(context, 0, TF_FLOAT, {rows, groups, outputs});
  std::vector<float> turned(groups * heads * outputs);
  for (int64_t group = 0; group < groups; group++) {
    for (int64_t output = 0; output < outputs; output++) {
      for (int64_t head = 0; head < heads; head++) {
        turned[(group * heads + head) * outputs + output] = weight.data<float>()[(group * outputs + output) * heads + head];
      }
    }
  }
  const GroupedProduct product{rows, heads, groups, outputs, x.data<float>(), turned.data(), y.data<float>()};
  InParts(rows, kLeastPart / std::max<int64_t>(1, groups * outputs),
          [&](int64_t begin, int64_t end) { RunLoops<MultiplyRows>(&product, begin, end); });
}

const bool isGroupedProductRegistered = Register({"PyramidalGroupedProduct",
                                                  {},
                                                  {"x: float", "weight: float"},
                                                  {"y: float"},
                                                  false,
                                                  nullptr,
                                                  &RunKernel<ComputeGroupedProduct>,
                                                  nullptr});

}  // namespace
}  // namespace pyramidal
